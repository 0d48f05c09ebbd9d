import type { z } from 'zod';
import { type Clock, Secret } from '../../../../src/core/index.ts';
import type { HostLookup } from '../../../../src/network/index.ts';
import { createJwtVerifier, type Outcome, type Verifier } from '../../../../src/proxy/identity/index.ts';
import { jwtVerifierOptions } from '../../../../src/proxy/identity/jwt/index.ts';
import { AUDIENCE } from '../support/issuer.ts';

export type JwtInput = Partial<z.input<typeof jwtVerifierOptions>>;

export interface TestVerifier {
  readonly verifier: Verifier;
  readonly warnings: string[];
  verify(token: string, username?: string): Promise<Outcome>;
}

export function jwtVerifierOf(
  input: JwtInput,
  clock: Clock,
  extra: { readonly resolve?: HostLookup; readonly jwks?: string; readonly authority?: string } = {},
): TestVerifier {
  const options = jwtVerifierOptions.parse({ type: 'jwt', name: 'ci', audience: AUDIENCE, ...input });
  if (extra.jwks !== undefined) options.jwksFile?.resolve('/etc/keys.json', Buffer.from(extra.jwks));
  if (extra.authority !== undefined) {
    options.certificateAuthorityFile?.resolve('/etc/ca.crt', Buffer.from(extra.authority));
  }
  const warnings: string[] = [];
  const log = { warn: (...words: unknown[]) => warnings.push(words.map(String).join(' ')) };
  const verifier = createJwtVerifier(options, {
    clock,
    log,
    ...(extra.resolve && { resolve: extra.resolve }),
  });
  return {
    verifier,
    warnings,
    verify: (token, username = 'anything') =>
      verifier.verify({ username, password: new Secret(token) }, new AbortController().signal),
  };
}
