import { z } from 'zod';
import { isLoopbackHost, optionTypes, parseUrl } from '../../../core/index.ts';
import { commonVerifierOptions } from '../common-options.ts';

const SHORTEST_TOKEN_MS = 60 * 60_000;
const LONGEST_TOKEN_MS = 366 * 86_400_000;

export const oidcVerifierOptions = z
  .strictObject({
    type: z.literal('oidc'),
    ...commonVerifierOptions,
    issuer: z
      .string()
      .refine(isIssuer, 'expected https://host or https://host/path (http only on this machine)')
      .describe('The OpenID provider, exactly as its discovery document names itself.'),
    clientId: z.string().min(1).describe('As the provider knows this proxy.'),
    clientSecret: optionTypes.secret.optional().describe('Missing for a public client.'),
    clientSecretFile: optionTypes.file.optional().describe('The same, in a file.'),
    title: z
      .string()
      .min(1)
      .max(60)
      .optional()
      .describe("What the sign-in page calls the provider (default: the verifier's name)."),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'expected a scope without spaces'))
      .refine((scopes) => scopes.includes('openid'), 'openid has to be among the scopes')
      .default(['openid', 'profile', 'email', 'groups', 'offline_access'])
      .describe('What the provider is asked for.'),
    authorizationParameters: z
      .record(z.string(), z.string())
      .default({})
      .describe(
        'Further parameters of the authorization request, such as `access_type: offline` for Google.',
      ),
    groupsClaim: z
      .string()
      .min(1)
      .default('groups')
      .describe('The claim with the groups, of the ID token or else of the user-info endpoint.'),
    nameClaim: z
      .string()
      .min(1)
      .default('preferred_username')
      .describe("The claim with the name that rules know. It has to stay the same and be nobody else's."),
    allowedGroups: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Only people in one of these groups may sign in. When missing, all whom the provider knows.'),
    certificateAuthorityFile: optionTypes.file
      .optional()
      .describe("PEM. Trusted for the provider's https instead of the system's list."),
    tokenLifetime: optionTypes.duration
      .refine((ms) => ms >= SHORTEST_TOKEN_MS && ms <= LONGEST_TOKEN_MS, 'expected 1h to 366d')
      .prefault('90d')
      .describe('The longest that a personal access token may be good.'),
    groupsRefresh: optionTypes.duration
      .prefault('15m')
      .describe('The provider is asked for the groups, and whether the person is still there, this often.'),
    graceWhileDown: optionTypes.duration
      .prefault('1h')
      .describe('How long the last known groups count on while the provider is down.'),
  })
  .superRefine(({ clientSecret, clientSecretFile }, context) => {
    if (clientSecret === undefined || clientSecretFile === undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['clientSecretFile'],
      message: 'clientSecret is given too; one of them is enough',
    });
  })
  .describe('People sign in with an OpenID provider in a browser, and show docker a personal access token.');
export type OidcVerifierOptions = z.infer<typeof oidcVerifierOptions>;

function isIssuer(text: string): boolean {
  const url = parseUrl(text);
  if (!url || url.search + url.hash + url.username + url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname));
}
