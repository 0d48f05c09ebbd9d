import { z } from 'zod';
import { optionTypes } from '../../core/index.ts';
import { registriesOption } from '../registry-hosts.ts';

/** `type: gcp`. */
export const gcpOptions = z
  .strictObject({
    type: z.literal('gcp'),
    credentialsFile: optionTypes.file
      .optional()
      .describe(
        "A service account's key, or the configuration of workload identity federation (`gcloud iam workload-identity-pools create-cred-config`). Without it, the file that the environment's GOOGLE_APPLICATION_CREDENTIALS names, else the metadata server.",
      ),
    impersonate: z
      .email('expected the e-mail address of a service account')
      .optional()
      .describe('Service account to act as; needs the role `roles/iam.serviceAccountTokenCreator` on it.'),
    scope: z
      .url()
      .default('https://www.googleapis.com/auth/cloud-platform')
      .describe(
        'What the access token may be used for; `https://www.googleapis.com/auth/cloud-platform.read-only` is enough to pull. The metadata server gives what the machine was made with.',
      ),
    registries: registriesOption.describe(
      "Hosts that may see the access token, besides Google's own (`gcr.io`, `*.gcr.io`, `*.pkg.dev`): private names of the same registries.",
    ),
    audience: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Makes an identity token for this audience instead, to log in to a proxy with a verifier of type `gcp`.',
      ),
    username: z
      .string()
      .regex(/^[^:]+$/, 'expected a user name without a colon')
      .optional()
      .describe('User name of the identity token; `_gcp` by default.'),
  })
  .refine(({ audience, username }) => username === undefined || audience !== undefined, {
    path: ['username'],
    error: 'goes with audience; an access token has the user name oauth2accesstoken',
  })
  .describe('Google: access tokens for Container Registry and Artifact Registry, or identity tokens.');
export type GcpOptions = z.infer<typeof gcpOptions>;
