import { z } from 'zod';
import { providerPluginOptions } from '../plugins/index.ts';
import { accountOptions, hasOnePassword, ONE_PASSWORD, passwordShape } from './account-options.ts';
import { documentCredentialOptions, ecrCredentialOptions, stsCredentialOptions } from './aws/index.ts';
import { acrOptions, azureAttestedOptions, azureOptions } from './azure/index.ts';
import { dockerConfigOptions } from './docker-config/index.ts';
import { gcpOptions } from './gcp/index.ts';
import { ghcrOptions } from './ghcr/index.ts';
import { kubeletPluginsOptions } from './kubelet-plugins/index.ts';
import { poolOptionsOf } from './pool-options.ts';
import { kubernetesTokenOptions, tokenFileOptions } from './token-options.ts';

const anonymous = z.strictObject({ type: z.literal('anonymous') }).describe('No credential is shown.');

const staticCredential = z
  .strictObject({
    type: z.literal('static'),
    username: z.string().regex(/^[^:]+$/, 'expected a user name without a colon'),
    ...passwordShape,
  })
  .refine(hasOnePassword, ONE_PASSWORD)
  .describe('One user name and password.');

const single = z.discriminatedUnion('type', [
  anonymous,
  staticCredential,
  dockerConfigOptions,
  ...accountOptions,
  ghcrOptions,
  ecrCredentialOptions,
  stsCredentialOptions,
  documentCredentialOptions,
  kubeletPluginsOptions,
  gcpOptions,
  acrOptions,
  azureOptions,
  azureAttestedOptions,
  kubernetesTokenOptions,
  tokenFileOptions,
  ...providerPluginOptions,
]);

/** `credentials:` of an upstream. */
export const credentialOptions = z.discriminatedUnion('type', [...single.options, poolOptionsOf(single)]);
export type CredentialOptions = z.infer<typeof credentialOptions>;
