import { z } from 'zod';
import { awsCredentialShape, awsRegion } from '../options.ts';

/** `type: aws-sts`. */
export const stsCredentialOptions = z
  .strictObject({
    type: z.literal('aws-sts'),
    ...awsCredentialShape,
    audience: z
      .string()
      .regex(/^[\x21-\x7e]{1,255}$/, 'expected a name such as docker.example.com')
      .describe('Who the credential is for: the same as the verifier says. It is signed.'),
    region: awsRegion
      .optional()
      .describe(
        'Whose Security Token Service is asked; else the region that the SDK finds, or the instance names.',
      ),
    username: z
      .string()
      .regex(/^[^:]+$/, 'expected a user name without a colon')
      .default('_aws')
      .describe('Shown beside it; the verifier may be picked by it.'),
  })
  .describe('A signed request to AWS STS: shows a proxy which account and role this machine has.');
export type StsCredentialOptions = z.infer<typeof stsCredentialOptions>;
