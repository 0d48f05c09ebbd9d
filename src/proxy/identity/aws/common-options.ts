import { z } from 'zod';
import { AWS_REGION } from '../../../machine-identity/index.ts';

/** What every verifier of AWS begins with. */
export const awsVerifierShape = {
  accounts: z
    .array(z.string().regex(/^\d{12}$/, 'expected the 12 digits of an account, in quotes'))
    .describe('Accounts that are let in. An empty list lets in nobody.'),
  regions: z
    .array(z.string().regex(AWS_REGION, 'expected a region such as eu-west-1'))
    .optional()
    .describe('Regions that are let in; all when missing. An empty list lets in nobody.'),
};
