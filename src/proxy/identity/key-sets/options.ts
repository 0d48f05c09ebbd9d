import { z } from 'zod';
import { isSafeServiceUrl, optionTypes } from '../../../core/index.ts';
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from './algorithm.ts';

/** Whoever can change a key set on its way can make any token. */
export const serviceUrl = z
  .string()
  .refine(isSafeServiceUrl, 'expected an https URL without user name (http only on this machine)');

const defaultAlgorithms: SignatureAlgorithm[] = ['RS256', 'ES256', 'EdDSA', 'PS256'];

/** The options that say which keys sign an issuer's tokens. */
export const keySetOptions = {
  jwksUrl: serviceUrl.optional().describe("The issuer's key set, where its document does not name it."),
  jwksFile: optionTypes.file.optional().describe("The issuer's key set in a file; nothing is fetched."),
  certificateAuthorityFile: optionTypes.file
    .optional()
    .describe('PEM certificates to trust for the issuer, instead of the system list.'),
  algorithms: z
    .array(z.enum(SIGNATURE_ALGORITHMS))
    .min(1)
    .default(defaultAlgorithms)
    .describe(
      'Signature algorithms that are taken. A key that does not name its own is for the first one that fits its type.',
    ),
  keepKeys: optionTypes.duration
    .prefault('12h')
    .describe('How long known keys are used while the issuer can not be asked.'),
};
