import { z } from 'zod';
import { optionTypes } from '../../core/index.ts';

const SHORTEST_TOKEN_MS = 60_000;
const LONGEST_TOKEN_MS = 86_400_000;

/** `tokens:`, what the token endpoint issues. */
export const tokenOptions = z.strictObject({
  lifetime: optionTypes.duration
    .refine((ms) => ms >= SHORTEST_TOKEN_MS && ms <= LONGEST_TOKEN_MS, 'expected 60s to 24h')
    .prefault('5m')
    .describe('How long a token is good. Clients take at least a minute for granted.'),
  refreshLifetime: optionTypes.duration
    .prefault('30d')
    .describe('How long a `docker login` lasts before the password is asked for again.'),
  signingKeyFile: optionTypes.optionalFile
    .prefault('./data/signing-key.json')
    .describe(
      'A JWK set with private keys (ES256 or EdDSA). The first signs, all are accepted. Made on first start when missing.',
    ),
});
export type TokenOptions = z.infer<typeof tokenOptions>;
