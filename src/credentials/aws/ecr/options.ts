import { z } from 'zod';
import { awsCredentialShape, awsEndpoint, awsRegion } from '../options.ts';

/** `type: ecr`. */
export const ecrCredentialOptions = z
  .strictObject({
    type: z.literal('ecr'),
    ...awsCredentialShape,
    region: awsRegion
      .optional()
      .describe("Of the registry, where its host does not say so; else the host's."),
    endpoint: awsEndpoint
      .optional()
      .describe('URL of the ECR API, for an endpoint of your own VPC. The SDK finds the usual one.'),
  })
  .describe('Amazon ECR, private or public; signed in with the AWS credentials of this machine.');
export type EcrCredentialOptions = z.infer<typeof ecrCredentialOptions>;
