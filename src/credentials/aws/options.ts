import { z } from 'zod';
import { isSafeServiceUrl } from '../../core/index.ts';

const ARN_OF_ROLE = /^arn:aws[a-z-]*:iam::(?:\d{12}|\{account\}):role\/[\w+=,.@/-]{1,512}$/;

export const awsRegion = z
  .string()
  .regex(/^[a-z]{2,5}(?:-[a-z]{2,12}){1,3}-\d{1,2}$/, 'expected a region such as eu-west-1');

const role = z.strictObject({
  arn: z
    .string()
    .regex(ARN_OF_ROLE, 'expected the ARN of a role, such as arn:aws:iam::111122223333:role/pull')
    .describe(
      '`{account}` stands for the account of the registry (`ecr`) or of the instance (`verifyInstance`).',
    ),
  externalId: z
    .string()
    .regex(/^[\w+=,.@:/-]{2,1224}$/, 'expected an external id')
    .optional()
    .describe("What the role's trust policy wants as `sts:ExternalId`."),
  sessionName: z
    .string()
    .regex(/^[\w+=,.@-]{2,64}$/, 'expected letters, digits and +=,.@-')
    .default('docker-registry-proxy')
    .describe('Stands in the logs of the account.'),
});

/** What every kind of credential from AWS begins with. */
export const awsCredentialShape = {
  profile: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe("Profile of AWS's configuration files; else what the SDK finds by itself."),
  role: role.optional().describe('A role to assume with what was found.'),
};
export interface AwsCredentialOptions {
  readonly profile?: string | undefined;
  readonly role?: z.infer<typeof role> | undefined;
}

/** In the place of a service of AWS's: who answers there is believed, and may be shown credentials. */
export const awsEndpoint = z
  .string()
  .refine(isSafeServiceUrl, 'expected an https URL without user name (http only on this machine)');
