import * as oidc from 'openid-client';
import type { Clock } from '../../../core/index.ts';
import { type Facts, factsOf } from './facts.ts';
import type { OidcVerifierOptions } from './options.ts';
import { createProviderFetch } from './provider-fetch.ts';

/** What the browser brings along between the two halves of a sign-in. */
export interface SignInChecks {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

export type Refreshed =
  | {
      readonly type: 'refreshed';
      /** The successor, where the provider issues one. */
      readonly refreshToken: string | undefined;
      /** undefined: the token was good, but the provider did not say who it is for; see `cause`. */
      readonly facts: Facts | undefined;
      readonly cause?: unknown;
    }
  /**
   * The provider takes the token no more: the person is gone or has withdrawn their consent, or the token was used up
   * before.
   */
  | { readonly type: 'refused' }
  /** `shown`: the provider may have seen the token, and may have used it up. */
  | { readonly type: 'down'; readonly shown: boolean; readonly cause: unknown };

/** The OpenID provider: authorization code with PKCE, refresh, user-info. */
export interface Provider {
  /** @throws when the provider is out of reach */
  begin(redirectUri: string): Promise<{ readonly url: URL; readonly checks: SignInChecks }>;
  /**
   * @throws when the provider is out of reach, or does not vouch for the answer that the browser brought
   * @see OpenID Connect Core 1.0, section 3.1
   */
  complete(callback: URL, checks: SignInChecks): Promise<{ facts: Facts; refreshToken: string | undefined }>;
  /** Never rejects. */
  refresh(refreshToken: string, subject: string): Promise<Refreshed>;
  close(): Promise<void>;
}

/** The discovery document is read again after this. */
const DISCOVERED_FOR_MS = 10 * 60_000;

/** @throws when a file that the options name can't be used */
export function createProvider(options: OidcVerifierOptions, { clock }: { readonly clock: Clock }): Provider {
  const secret = options.clientSecret?.reveal() ?? options.clientSecretFile?.text().trim();
  if (secret === '') throw new Error(`${options.clientSecretFile?.path} is empty`);
  const http = createProviderFetch(options);
  let known: { readonly configuration: oidc.Configuration; readonly until: number } | undefined;

  /** Each has a key set of its own, so a new one knows keys that the provider has changed to. */
  async function discover(): Promise<oidc.Configuration> {
    const issuer = new URL(options.issuer);
    const configuration = await oidc.discovery(
      issuer,
      options.clientId,
      undefined,
      secret === undefined ? oidc.None() : oidc.ClientSecretBasic(secret),
      {
        [oidc.customFetch]: http.fetch,
        ...(issuer.protocol === 'http:' && { execute: [oidc.allowInsecureRequests] }),
      },
    );
    known = { configuration, until: clock.now() + DISCOVERED_FOR_MS };
    return configuration;
  }

  const discovered = async (): Promise<oidc.Configuration> =>
    known && known.until > clock.now() ? known.configuration : discover();

  return {
    async begin(redirectUri) {
      const configuration = await discovered();
      const checks = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        codeVerifier: oidc.randomPKCECodeVerifier(),
      };
      const url = oidc.buildAuthorizationUrl(configuration, {
        ...options.authorizationParameters,
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: options.scopes.join(' '),
        state: checks.state,
        nonce: checks.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(checks.codeVerifier),
        code_challenge_method: 'S256',
      });
      return { url, checks };
    },

    async complete(callback, checks) {
      const configuration = await discover();
      oidc.enableNonRepudiationChecks(configuration);
      const tokens = await oidc.authorizationCodeGrant(configuration, callback, {
        expectedState: checks.state,
        expectedNonce: checks.nonce,
        pkceCodeVerifier: checks.codeVerifier,
        idTokenExpected: true,
      });
      const subject = tokens.claims()?.sub ?? '';
      return { facts: await learn(configuration, tokens, subject), refreshToken: tokens.refresh_token };
    },

    async refresh(refreshToken, subject) {
      let tokens: Tokens;
      let configuration: oidc.Configuration;
      try {
        configuration = await discovered();
      } catch (cause) {
        return { type: 'down', shown: false, cause };
      }
      try {
        tokens = await oidc.refreshTokenGrant(configuration, refreshToken);
      } catch (cause) {
        return isRefusal(cause) ? { type: 'refused' } : { type: 'down', shown: true, cause };
      }
      // From here on the old token may be spent: the new one has to be kept, whatever comes.
      const successor = tokens.refresh_token;
      try {
        return {
          type: 'refreshed',
          refreshToken: successor,
          facts: await learn(configuration, tokens, subject),
        };
      } catch (cause) {
        return { type: 'refreshed', refreshToken: successor, facts: undefined, cause };
      }
    },
    close: () => http.close(),
  };

  async function learn(configuration: oidc.Configuration, tokens: Tokens, subject: string): Promise<Facts> {
    const claims: Record<string, unknown> = { ...tokens.claims() };
    if (claims.sub !== undefined && claims.sub !== subject)
      throw new Error('the ID token is for somebody else');
    const isComplete = [options.nameClaim, options.groupsClaim].every((claim) => claim in claims);
    const endpoint = configuration.serverMetadata().userinfo_endpoint;
    if (!isComplete && endpoint !== undefined) {
      const more = await oidc.fetchUserInfo(configuration, tokens.access_token, subject);
      return factsOf({ ...more, ...claims }, subject, options);
    }
    if (claims.sub === undefined) throw new Error('the provider did not say who the token is for');
    return factsOf(claims, subject, options);
  }
}

type Tokens = oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers;

/** @see RFC 6749, section 5.2 */
function isRefusal(error: unknown): boolean {
  return error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant';
}
