import { z } from 'zod';
import { commonVerifierOptions } from '../common-options.ts';
import { audienceOption, tokenTimeOptions } from '../jwt/index.ts';
import { keySetOptions, serviceUrl } from '../key-sets/index.ts';

const { jwksFile, certificateAuthorityFile, keepKeys } = keySetOptions;

/** `type: gcp`. */
export const gcpVerifierOptions = z
  .strictObject({
    type: z.literal('gcp'),
    ...commonVerifierOptions,
    audience: audienceOption,
    projects: z
      .array(z.string().regex(/^(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,61}$/, 'expected the id of a project'))
      .describe(
        'Ids of projects whose instances and service accounts are let in. An empty list lets in nobody.',
      ),
    zones: z
      .array(z.string().regex(/^[a-z0-9-]+$/, 'expected a zone such as europe-west1-b'))
      .optional()
      .describe('Zones that an instance has to be in. Tokens of no instance are refused then.'),
    serviceAccounts: z
      .array(z.email('expected the e-mail address of a service account'))
      .optional()
      .describe(
        'Service accounts that are let in. Needed for tokens that name no instance, such as those of GKE with Workload Identity; where it is there, it has to hold for instances too.',
      ),
    jwksUrl: serviceUrl.default('https://www.googleapis.com/oauth2/v3/certs').describe("Google's key set."),
    jwksFile,
    certificateAuthorityFile: certificateAuthorityFile.describe(
      'PEM certificates to trust for jwksUrl, instead of the system list.',
    ),
    keepKeys,
    ...tokenTimeOptions,
  })
  .describe("Identity tokens of Google's machines and service accounts, shown as the password.");
export type GcpVerifierOptions = z.infer<typeof gcpVerifierOptions>;
