import { z } from 'zod';
import { optionTypes } from '../../../../core/index.ts';
import { awsEndpoint } from '../../../../credentials/index.ts';
import { commonVerifierOptions } from '../../common-options.ts';
import { isPattern } from '../../json-web-token/index.ts';
import { awsVerifierShape } from '../common-options.ts';

/** `type: aws-sts`. */
export const stsVerifierOptions = z
  .strictObject({
    type: z.literal('aws-sts'),
    ...commonVerifierOptions,
    audience: z
      .string()
      .regex(/^[\x21-\x7e]{1,255}$/, 'expected a name such as docker.example.com')
      .describe('What a request has to be signed for: the same as the machine says. Exact.'),
    ...awsVerifierShape,
    roles: z
      .array(z.string().refine(isPattern, 'expected a pattern such as arn:aws:iam::111122223333:role/node-*'))
      .optional()
      .describe(
        'Patterns of role ARNs that are let in, without the path of the role; `*` is any text without a slash. Missing: whoever AWS names in the accounts, users included.',
      ),
    partitions: z
      .array(z.enum(['aws', 'aws-cn', 'aws-us-gov', 'aws-eusc', 'aws-iso', 'aws-iso-b']))
      .min(1)
      .prefault(['aws'])
      .describe('Parts of AWS that are asked.'),
    endpoint: awsEndpoint
      .optional()
      .describe(
        'URL of an STS endpoint in your own network, to which every request is sent. They still have to be signed for a host of AWS itself.',
      ),
    leeway: optionTypes.duration
      .prefault('60s')
      .refine((milliseconds) => milliseconds <= 300_000, 'at most 5m')
      .describe("How far the machine's clock may be off."),
  })
  .describe('Signed requests to AWS STS, shown as the password: AWS says which account and role signed.');
export type StsVerifierOptions = z.infer<typeof stsVerifierOptions>;
