import { z } from 'zod';
import { commonVerifierOptions } from '../common-options.ts';
import { isPattern } from '../json-web-token/index.ts';
import { audienceOption, tokenTimeOptions } from '../jwt/index.ts';
import { keySetOptions, serviceUrl } from '../key-sets/index.ts';

const { jwksFile, certificateAuthorityFile, keepKeys } = keySetOptions;
const guid = z
  .guid('expected an id such as 11111111-2222-3333-4444-555555555555')
  .transform((id) => id.toLowerCase());

/** `type: azure`. */
export const azureVerifierOptions = z
  .strictObject({
    type: z.literal('azure'),
    ...commonVerifierOptions,
    audience: audienceOption.describe(
      'A token has to be made for it: the Application ID URI (tokens of version 1) or the client id (of version 2) that the proxy goes by in Entra ID. Exact.',
    ),
    tenants: z
      .array(guid)
      .describe('Ids of the tenants whose tokens are taken. An empty list lets in nobody.'),
    principalIds: z
      .array(guid)
      .optional()
      .describe('Object ids of service principals (managed identities are ones) that are let in.'),
    subscriptions: z.array(guid).optional().describe('Subscriptions whose managed identities are let in.'),
    resources: z
      .array(z.string().startsWith('/').refine(isPattern, 'expected a pattern such as /subscriptions/ID/**'))
      .optional()
      .describe(
        'Patterns for the resource id of a managed identity: `*` within a segment, `**` across them. Letters in either case.',
      ),
    authority: serviceUrl
      .default('https://login.microsoftonline.com')
      .describe('Where Entra ID is: another host for sovereign clouds.'),
    jwksFile,
    certificateAuthorityFile: certificateAuthorityFile.describe(
      'PEM certificates to trust for the authority, instead of the system list.',
    ),
    keepKeys,
    ...tokenTimeOptions,
  })
  .superRefine(({ principalIds, subscriptions, resources }, context) => {
    if (principalIds ?? subscriptions ?? resources) return;
    context.addIssue({
      code: 'custom',
      message:
        'needs principalIds, subscriptions or resources: who is let in (all that are there have to hold)',
    });
  })
  .describe(
    "Tokens of Entra ID for Azure's managed identities and service principals, shown as the password.",
  );
export type AzureVerifierOptions = z.infer<typeof azureVerifierOptions>;
