import { z } from 'zod';
import { isSafeServiceUrl, optionTypes } from '../../core/index.ts';
import { registriesOption } from '../registry-hosts.ts';

/** Who asks Entra ID for tokens, and how it proves that. */
const entraOptions = {
  tenantId: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,253}$/, 'expected the id or the domain of a tenant')
    .optional()
    .describe('Tenant (directory) of the service principal; else AZURE_TENANT_ID of the environment.'),
  clientId: z
    .guid('expected the client id of an application or managed identity')
    .optional()
    .describe(
      'Application (client) id of the service principal, or of a user-assigned managed identity; else AZURE_CLIENT_ID of the environment.',
    ),
  clientSecret: optionTypes.secret
    .optional()
    .describe(
      'Secret of the service principal. Better: clientSecretFile, certificateFile, or no secret at all.',
    ),
  clientSecretFile: optionTypes.file
    .optional()
    .describe('File with the secret; a line break at its end is dropped.'),
  certificateFile: optionTypes.file
    .optional()
    .describe('PEM file with the certificate of the service principal and its key.'),
  federatedTokenFile: optionTypes.file
    .optional()
    .describe(
      'Token of another issuer that the service principal trusts, such as that of a Kubernetes service account; read anew each time. Else AZURE_FEDERATED_TOKEN_FILE of the environment.',
    ),
  authority: z
    .string()
    .refine(isSafeServiceUrl, 'expected an https URL without user name (http only on this machine)')
    .optional()
    .describe(
      "Where Entra ID is; else AZURE_AUTHORITY_HOST of the environment, else that of the registry's cloud.",
    ),
};

const PROOFS = ['clientSecret', 'clientSecretFile', 'certificateFile', 'federatedTokenFile'] as const;

function checkProofs(
  options: { readonly [proof in (typeof PROOFS)[number]]?: unknown },
  context: z.RefinementCtx,
): void {
  const given = PROOFS.filter((proof) => options[proof] !== undefined);
  if (given.length > 1) {
    context.addIssue({ code: 'custom', message: `takes one of ${given.join(' and ')}, not several` });
  }
}

/** `type: acr`. */
export const acrOptions = z
  .strictObject({
    type: z.literal('acr'),
    ...entraOptions,
    resource: z
      .url()
      .optional()
      .describe(
        'What the token of Entra ID is asked for; `https://containerregistry.azure.net`, or the resource manager of a sovereign cloud, by default.',
      ),
    registries: registriesOption.describe(
      'Hosts that may see the token, besides `*.azurecr.io`, `*.azurecr.us` and `*.azurecr.cn`: private names of the same registries.',
    ),
  })
  .superRefine(checkProofs)
  .describe(
    'Azure Container Registry: a token of Entra ID, by managed identity, workload identity or service principal, for one of the registry.',
  );
export type AcrOptions = z.infer<typeof acrOptions>;

const username = z.string().regex(/^[^:]+$/, 'expected a user name without a colon');

/** `type: azure`. */
export const azureOptions = z
  .strictObject({
    type: z.literal('azure'),
    ...entraOptions,
    audience: z
      .string()
      .min(1)
      .describe('Application ID URI that the proxy goes by in Entra ID, such as `api://docker.example.com`.'),
    username: username.default('_azure'),
  })
  .superRefine(checkProofs)
  .describe('Azure: the token of a managed identity, to log in to a proxy with a verifier of type `azure`.');
export type AzureOptions = z.infer<typeof azureOptions>;

/** `type: azure-attested`. */
export const azureAttestedOptions = z
  .strictObject({
    type: z.literal('azure-attested'),
    audience: z.string().min(1).describe('Audience of the verifier that it is for. Exact.'),
    nonceFile: z
      .string()
      .regex(/^\//, 'expected an absolute path')
      .default('/var/lib/drp/azure-attested.nonce')
      .describe(
        'Secret of this machine, made at first use and readable by its owner only. The proxy knows the machine by it: keep it when the disk is made anew.',
      ),
    username: username.default('_azure'),
  })
  .describe(
    'Azure: a document that the metadata service signs for a virtual machine, to log in to a proxy with a verifier of type `azure-attested`.',
  );
export type AzureAttestedOptions = z.infer<typeof azureAttestedOptions>;

export type EntraOptions = Pick<AcrOptions, keyof typeof entraOptions>;
