import { z } from 'zod';
import { isSafeServiceUrl, optionTypes } from '../../../core/index.ts';
import { commonVerifierOptions } from '../common-options.ts';
import { audienceOption, tokenTimeOptions } from '../jwt/index.ts';
import { keySetOptions, serviceUrl } from '../key-sets/index.ts';

const IN_CLUSTER = '/var/run/secrets/kubernetes.io/serviceaccount';
const DNS_LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';

const review = z
  .strictObject({
    apiServer: serviceUrl
      .default('https://kubernetes.default.svc')
      .describe('Base URL of the API server, from within the cluster by default.'),
    certificateAuthorityFile: optionTypes.file
      .prefault(`${IN_CLUSTER}/ca.crt`)
      .describe("The cluster's certificate authority."),
    tokenFile: optionTypes.file
      .prefault(`${IN_CLUSTER}/token`)
      .describe("The proxy's own token; its account needs the cluster role `system:auth-delegator`."),
  })
  .describe('The API server is asked about each token, so a deleted pod or account ends its tokens.');

const { algorithms, keepKeys, jwksUrl, jwksFile, certificateAuthorityFile } = keySetOptions;
const offline = z
  .strictObject({
    jwksUrl,
    jwksFile,
    certificateAuthorityFile,
    tokenFile: optionTypes.file
      .optional()
      .describe(
        "Shown to the issuer's host, or that of jwksUrl, where they give out keys to known accounts only.",
      ),
    algorithms,
    keepKeys,
    ...tokenTimeOptions,
  })
  .describe("Tokens are checked with the cluster's public keys; they hold until they end.");

/** `type: kubernetes`. */
export const kubernetesVerifierOptions = z
  .strictObject({
    type: z.literal('kubernetes'),
    ...commonVerifierOptions,
    issuer: z
      .string()
      .min(1)
      .max(1024)
      .optional()
      .describe(
        '`iss` of the tokens, exact: `--service-account-issuer` of the API server. `offline` needs it.',
      ),
    audience: audienceOption,
    review: review.optional(),
    offline: offline.optional(),
    namespaces: z
      .array(z.string().regex(new RegExp(`^${DNS_LABEL}$`), 'expected the name of a namespace'))
      .optional()
      .describe('Namespaces whose accounts are let in. An empty list lets in nobody.'),
    serviceAccounts: z
      .array(z.string().regex(/^[-a-z0-9]{1,63}\/[-.a-z0-9]{1,253}$/, 'expected namespace/name'))
      .optional()
      .describe(
        'Accounts that are let in, as `namespace/name`; where `namespaces` is there too, both have to hold.',
      ),
  })
  .superRefine((options, context) => {
    const problem = (message: string, ...path: string[]) =>
      context.addIssue({ code: 'custom', path, message });
    if ((options.review === undefined) === (options.offline === undefined)) {
      problem('needs exactly one of review and offline');
    }
    if (options.namespaces === undefined && options.serviceAccounts === undefined) {
      problem('needs namespaces, serviceAccounts, or both: who is let in');
    }
    if (!options.offline) return;
    const { jwksUrl, jwksFile } = options.offline;
    if (jwksUrl !== undefined && jwksFile !== undefined) {
      problem('takes no jwksUrl beside it', 'offline', 'jwksFile');
    }
    if (options.issuer === undefined) problem('offline needs the issuer');
    else if (jwksUrl === undefined && jwksFile === undefined && !isSafeServiceUrl(options.issuer)) {
      problem('has to be an https URL to find its keys by; or name them in offline', 'issuer');
    }
  })
  .describe('Tokens of Kubernetes service accounts, shown as the password.');
export type KubernetesVerifierOptions = z.infer<typeof kubernetesVerifierOptions>;
export type KubernetesReviewOptions = z.infer<typeof review>;
export type KubernetesOfflineOptions = z.infer<typeof offline>;
