import { z } from 'zod';
import { optionTypes } from '../../../core/index.ts';
import { commonVerifierOptions } from '../common-options.ts';
import { claimName } from '../json-web-token/index.ts';
import { audienceOption } from '../jwt/index.ts';
import { serviceUrl } from '../key-sets/index.ts';

const clientId = z.string().min(1).describe('Of the application that the tokens were made for.');

const clientSecret = {
  clientSecret: optionTypes.secret.optional().describe('Better: clientSecretFile, or a variable.'),
  clientSecretFile: optionTypes.file
    .optional()
    .describe('File with the secret of that client; a line break at its end is dropped.'),
};

const certificateAuthorityFile = optionTypes.file
  .optional()
  .describe('PEM certificates to trust for the service, instead of the system list.');

const oneSecret = {
  check: (options: { clientSecret?: unknown; clientSecretFile?: unknown }) =>
    (options.clientSecret === undefined) !== (options.clientSecretFile === undefined),
  error: 'needs exactly one of clientSecret and clientSecretFile',
};

const groupsClaim = claimName
  .optional()
  .describe('The field that becomes `identity.groups`: a list of texts, or one.');

const introspection = z
  .strictObject({
    url: serviceUrl.describe('Introspection endpoint, RFC 7662.'),
    clientId: z.string().min(1).describe('Who the proxy is to the endpoint.'),
    ...clientSecret,
    certificateAuthorityFile,
    audience: audienceOption.optional(),
    clients: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('`client_id`s whose tokens are taken. Needed where there is no audience.'),
    scopes: z.array(z.string().min(1)).default([]).describe('Scopes that a token has to have, all of them.'),
    nameClaim: claimName.default('sub').describe('The field that becomes `identity.name`.'),
    groupsClaim,
  })
  .refine(oneSecret.check, oneSecret.error)
  .refine(
    ({ audience, clients }) => audience !== undefined || clients !== undefined,
    'needs an audience or clients: without, a token that was made for any other application would do',
  )
  .describe('The authorization server is asked about each token.');

const groupList = z
  .strictObject({
    url: serviceUrl,
    field: claimName.optional().describe("The group's name within an entry; without it, entries are texts."),
  })
  .describe('A second URL, which answers with a list of groups.');

const userInfo = z
  .strictObject({
    url: serviceUrl.describe('Answers with a JSON object about the user whose token is shown.'),
    anyClient: z
      .boolean()
      .refine(
        (anyClient) => anyClient,
        'has to be true, because the URL can not tell whom a token was made for',
      )
      .describe(
        'Has to be `true`: a user-info URL does not say which application a token was made for, so the tokens of every application that a user ever let in will do.',
      ),
    headers: z
      .record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string().regex(/^[\x20-\x7e]*$/))
      .default({})
      .describe('Sent besides `Authorization`.'),
    certificateAuthorityFile,
    nameClaim: claimName.default('sub').describe('The field that becomes `identity.name`.'),
    groupsClaim,
    groups: groupList.optional(),
  })
  .refine(
    ({ groupsClaim, groups }) => groupsClaim === undefined || groups === undefined,
    'takes groupsClaim or groups, not both',
  )
  .describe('The weakest kind: whoever shows a token that the URL takes is let in.');

const github = z
  .strictObject({
    url: serviceUrl
      .default('https://api.github.com')
      .describe('Base URL of the API; of GitHub Enterprise Server, `https://HOST/api/v3`.'),
    clientId,
    ...clientSecret,
    certificateAuthorityFile,
    groups: z
      .enum(['none', 'organizations', 'teams'])
      .default('none')
      .describe('What becomes `identity.groups`; teams as `organization/team`. Needs the scope `read:org`.'),
  })
  .refine(oneSecret.check, oneSecret.error)
  .describe('Tokens of an OAuth or GitHub app. `identity.name` is the login.');

const gitlab = z
  .strictObject({
    url: serviceUrl.default('https://gitlab.com'),
    clientId,
    certificateAuthorityFile,
  })
  .describe(
    'Tokens of a GitLab application with the scope `openid`. `identity.name` is the user name, groups by their paths.',
  );

const google = z
  .strictObject({ clientId })
  .describe('Tokens of a Google client with the scopes `openid email`. `identity.name` is the address.');

const KINDS = ['introspection', 'userInfo', 'github', 'gitlab', 'google'] as const;

/** `type: oauth2`. */
export const oauth2VerifierOptions = z
  .strictObject({
    type: z.literal('oauth2'),
    ...commonVerifierOptions,
    introspection: introspection.optional(),
    userInfo: userInfo.optional(),
    github: github.optional(),
    gitlab: gitlab.optional(),
    google: google.optional(),
    claims: z
      .array(claimName)
      .max(50)
      .default([])
      .describe('Fields of the answer that rules see in `identity.claims`, under these names.'),
  })
  .superRefine((options, context) => {
    if (KINDS.filter((kind) => options[kind] !== undefined).length !== 1) {
      context.addIssue({ code: 'custom', message: `needs exactly one of ${KINDS.join(', ')}` });
    }
    // GitLab's tokens look like any 64 hex digits.
    const { introspection, userInfo, gitlab } = options;
    const asksAboutAnything = [introspection, userInfo, gitlab].some((service) => service !== undefined);
    if (asksAboutAnything && options.username === undefined) {
      context.addIssue({
        code: 'custom',
        message:
          'needs a username: without, passwords that are meant for other verifiers would be sent to the service',
      });
    }
  })
  .describe('Opaque access tokens, shown as the password.');
export type OAuth2VerifierOptions = z.infer<typeof oauth2VerifierOptions>;
export type IntrospectionOptions = z.infer<typeof introspection>;
export type UserInfoOptions = z.infer<typeof userInfo>;
export type GithubOptions = z.infer<typeof github>;
export type GitlabOptions = z.infer<typeof gitlab>;
export type GoogleOptions = z.infer<typeof google>;
