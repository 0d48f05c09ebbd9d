import { z } from 'zod';
import { ANONYMOUS } from './identity.ts';

/** What every verifier's options begin with. */
export const commonVerifierOptions = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and hyphens')
    .refine((name) => name !== ANONYMOUS, `${ANONYMOUS} is the name of nobody in particular`)
    .describe('Rules and the audit log know the verifier by it.'),
  username: z
    .string()
    .min(1)
    .optional()
    .describe('A login with exactly this user name is for this verifier alone.'),
};
