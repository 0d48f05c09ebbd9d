import { z } from 'zod';
import { optionTypes } from '../../../../core/index.ts';
import { awsCredentialShape, awsEndpoint } from '../../../../credentials/index.ts';
import { commonVerifierOptions } from '../../common-options.ts';
import { awsVerifierShape } from '../common-options.ts';

const verifyInstance = z
  .strictObject({
    ...awsCredentialShape,
    endpoint: awsEndpoint.optional().describe('URL of the EC2 API, for an endpoint of your own VPC.'),
  })
  .describe(
    'Ask EC2 whether the instance runs (`ec2:DescribeInstances`), at each login and each refresh. In `role.arn`, `{account}` stands for the account of the instance.',
  );

/** `type: aws-iid`. */
export const documentVerifierOptions = z
  .strictObject({
    type: z.literal('aws-iid'),
    ...commonVerifierOptions,
    certificates: optionTypes
      .filesIn('.pem')
      .describe("Folder with AWS's public RSA-2048 certificates, one file `REGION.pem` for each region."),
    ...awsVerifierShape,
    firstUse: optionTypes.duration
      .prefault('1h')
      .describe('How long after an instance has started it may log in for the first time.'),
    maximumAge: optionTypes.duration
      .optional()
      .describe(
        'How long after its start an instance may log in at all. Missing: as long as it has its nonce.',
      ),
    keepBinding: optionTypes.duration
      .prefault('90d')
      .describe(
        'How long an instance that does not log in is remembered. After that it has to be restarted.',
      ),
    rebindAfterRestart: z
      .boolean()
      .default(false)
      .describe(
        'Whether an instance that was stopped and started may come with a new nonce, as when its disk was replaced.',
      ),
    leeway: optionTypes.duration
      .prefault('60s')
      .refine((milliseconds) => milliseconds <= 300_000, 'at most 5m')
      .describe("How far AWS's clock may be ahead of ours."),
    verifyInstance: verifyInstance.optional(),
  })
  .describe('Signed identity documents of EC2 instances, shown as the password. `aws-sts` is stronger.');
export type DocumentVerifierOptions = z.infer<typeof documentVerifierOptions>;
export type VerifyInstanceOptions = z.infer<typeof verifyInstance>;
