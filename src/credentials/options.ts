import { z } from 'zod';
import { optionTypes } from '../core/index.ts';
import { providerPluginOptions } from '../plugins/index.ts';
import { kubeletPluginsOptions } from './kubelet-plugins/index.ts';

const anonymous = z.strictObject({ type: z.literal('anonymous') }).describe('No credential is shown.');

const staticCredential = z
  .strictObject({
    type: z.literal('static'),
    username: z.string().regex(/^[^:]+$/, 'expected a user name without a colon'),
    password: optionTypes.secret
      .optional()
      .describe('Better: passwordFile, or a variable of the environment.'),
    passwordFile: optionTypes.file
      .optional()
      .describe('File with the password; a line break at its end is dropped.'),
  })
  .refine((options) => (options.password === undefined) !== (options.passwordFile === undefined), {
    error: 'needs exactly one of password and passwordFile',
  })
  .describe('One user name and password.');

const dockerConfig = z
  .strictObject({
    type: z.literal('docker-config'),
    file: optionTypes.file.describe('A config.json as `docker login` writes it.'),
  })
  .describe("The credential that Docker's configuration file holds for the upstream's host.");

/** `credentials:` of an upstream. */
export const credentialOptions = z.discriminatedUnion('type', [
  anonymous,
  staticCredential,
  dockerConfig,
  kubeletPluginsOptions,
  ...providerPluginOptions,
]);
export type CredentialOptions = z.infer<typeof credentialOptions>;
