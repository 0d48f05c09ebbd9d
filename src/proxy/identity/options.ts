import { z } from 'zod';
import { optionTypes } from '../../core/index.ts';
import { documentVerifierOptions, stsVerifierOptions } from './aws/index.ts';
import { azureVerifierOptions } from './azure/index.ts';
import { azureAttestedVerifierOptions } from './azure-attested/index.ts';
import { commonVerifierOptions } from './common-options.ts';
import { gcpVerifierOptions } from './gcp/index.ts';
import { jwtVerifierOptions } from './jwt/index.ts';
import { kubernetesVerifierOptions } from './kubernetes/index.ts';
import { ldapVerifierOptions } from './ldap/index.ts';
import { mtlsVerifierOptions } from './mtls/index.ts';
import { oauth2VerifierOptions } from './oauth2/index.ts';
import { oidcVerifierOptions } from './oidc/index.ts';
import { pluginVerifierOptions } from './plugin/index.ts';

const htpasswd = z
  .strictObject({
    type: z.literal('htpasswd'),
    ...commonVerifierOptions,
    file: optionTypes.file.describe('Lines of `user:hash`, bcrypt only (`htpasswd -B`).'),
  })
  .describe('Users in a file.');
export type HtpasswdVerifierOptions = z.infer<typeof htpasswd>;

/** One entry of `authentication.verifiers`. */
export const verifierOptions = z.discriminatedUnion('type', [
  htpasswd,
  ldapVerifierOptions,
  mtlsVerifierOptions,
  oidcVerifierOptions,
  jwtVerifierOptions,
  kubernetesVerifierOptions,
  oauth2VerifierOptions,
  stsVerifierOptions,
  documentVerifierOptions,
  gcpVerifierOptions,
  azureVerifierOptions,
  azureAttestedVerifierOptions,
  ...pluginVerifierOptions,
]);
export type VerifierOptions = z.infer<typeof verifierOptions>;

/** `authentication.limits`, against guessing. */
export const loginLimitOptions = z.strictObject({
  failuresPerAddress: z
    .int()
    .min(1)
    .default(100)
    .describe('From one address (of IPv6, one /64 network) within a window.'),
  failuresPerAccount: z
    .int()
    .min(1)
    .default(20)
    .describe('For one user name within a window, wherever they come from.'),
  window: optionTypes.duration
    .prefault('5m')
    .describe('Begins with the first failure; then counting starts anew.'),
});
export type LoginLimitOptions = z.infer<typeof loginLimitOptions>;

/** `authentication:`, who may show what. */
export const authenticationOptions = z.strictObject({
  anonymous: z
    .boolean()
    .default(false)
    .describe('Whether clients without a login get tokens. What they may pull is up to the rules.'),
  verifiers: z
    .array(verifierOptions)
    .default([])
    .superRefine((verifiers, context) => {
      const picking = verifiers.map((verifier) => ('username' in verifier ? verifier.username : undefined));
      for (const [index, { name }] of verifiers.entries()) {
        const earlier = verifiers.slice(0, index);
        const username = picking[index];
        if (earlier.some((other) => other.name === name)) {
          context.addIssue({
            code: 'custom',
            path: [index, 'name'],
            message: `${name} is taken by an earlier verifier`,
          });
        }
        if (username !== undefined && picking.indexOf(username) < index) {
          context.addIssue({
            code: 'custom',
            path: [index, 'username'],
            message: `${username} already picks an earlier verifier`,
          });
        }
      }
    })
    .describe('Asked in order.'),
  limits: loginLimitOptions
    .prefault({})
    .describe('How many logins may fail before further ones are turned away.'),
});
export type AuthenticationOptions = z.infer<typeof authenticationOptions>;
