import { z } from 'zod';

/** `type: aws-iid`. */
export const documentCredentialOptions = z
  .strictObject({
    type: z.literal('aws-iid'),
    nonceFile: z
      .string()
      .regex(/^\//, 'expected an absolute path')
      .default('/var/lib/drp/aws-iid.nonce')
      .describe(
        'Secret of this machine, made at first use and readable by its owner only. The proxy lets in nobody else with the document.',
      ),
    username: z
      .string()
      .regex(/^[^:]+$/, 'expected a user name without a colon')
      .default('_aws-iid')
      .describe('Shown beside it; the verifier may be picked by it.'),
  })
  .describe('The signed identity document of an EC2 instance: shows a proxy which instance this is.');
export type DocumentCredentialOptions = z.infer<typeof documentCredentialOptions>;
