import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { HttpClient } from '../../network/index.ts';
import { askService, type JsonAnswer, textIn, wordsOf } from '../json-service.ts';
import { CredentialUnavailableError } from '../unavailable.ts';
import type { AccessToken } from './access-token.ts';
import type { ExternalAccount, ServiceAccountKey } from './credentials-file.ts';

export interface TokenServiceDependencies {
  readonly client: HttpClient;
  readonly now: () => number;
}

/** Google's own services that make one credential of another. */
export interface TokenService {
  /** An access token for a key. RFC 7523. */
  accessTokenOf(key: ServiceAccountKey, scope: string, signal: AbortSignal): Promise<AccessToken>;
  /** An identity token for a key. */
  identityTokenOf(key: ServiceAccountKey, audience: string, signal: AbortSignal): Promise<string>;
  /** An access token for the token of another cloud or issuer. RFC 8693. */
  exchange(
    account: ExternalAccount,
    subjectToken: string,
    scope: string,
    signal: AbortSignal,
  ): Promise<AccessToken>;
  /** @param url of `generateAccessToken` of a service account */
  impersonate(url: URL, token: AccessToken, scope: string, signal: AbortSignal): Promise<AccessToken>;
  /** @param url of `generateIdToken` of a service account */
  impersonateFor(url: URL, token: AccessToken, audience: string, signal: AbortSignal): Promise<string>;
}

const WHOLE_MS = 10_000;
const ASSERTION_SECONDS = 3600;
const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };

export function createTokenService({ client, now }: TokenServiceDependencies): TokenService {
  async function askForKey(
    key: ServiceAccountKey,
    claims: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<JsonAnswer> {
    const seconds = Math.floor(now() / 1000);
    const header = { alg: 'RS256', typ: 'JWT', ...(key.private_key_id && { kid: key.private_key_id }) };
    const { SignJWT } = await import('jose');
    const assertion = await new SignJWT(claims)
      .setProtectedHeader(header)
      .setIssuer(key.client_email)
      .setAudience(key.token_uri)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + ASSERTION_SECONDS)
      .sign(privateKeyOf(key));
    const body = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion,
    }).toString();
    const url = new URL(key.token_uri);
    return ask("Google's token service", url, { method: 'POST', headers: FORM, body, signal }, refusedKey);
  }

  async function ask(
    service: string,
    url: URL,
    request: Parameters<typeof askService>[3],
    explain: (answer: JsonAnswer) => string,
  ): Promise<JsonAnswer> {
    const answer = await askService(client, service, url, request, WHOLE_MS);
    if (answer.status === 200) return answer;
    const told = answer.status < 500 && answer.status !== 429 ? explain(answer) : '';
    throw new CredentialUnavailableError(
      `${service} answers ${answer.status}: ${wordsOf(answer.body)}${told === '' ? '' : `; ${told}`}`,
    );
  }

  function readAccessToken({ body }: JsonAnswer): AccessToken {
    const token = textIn(body, 'access_token');
    if (token === undefined || typeof body.expires_in !== 'number') {
      throw new CredentialUnavailableError("the answer of Google's token service holds no access token");
    }
    return { token, expiresAt: now() + body.expires_in * 1000 };
  }

  function askIam(url: URL, token: AccessToken, body: object, signal: AbortSignal): Promise<JsonAnswer> {
    const headers = { authorization: `Bearer ${token.token}`, 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(body), signal } as const;
    return ask("Google's IAM credentials service", url, request, ({ status }) =>
      status === 403
        ? 'the role roles/iam.serviceAccountTokenCreator on the service account is missing'
        : 'look at the name of the service account, and whether the IAM Service Account Credentials API is on',
    );
  }

  return {
    async accessTokenOf(key, scope, signal) {
      return readAccessToken(await askForKey(key, { scope }, signal));
    },
    async identityTokenOf(key, audience, signal) {
      const { body } = await askForKey(key, { target_audience: audience }, signal);
      return requireToken(textIn(body, 'id_token'));
    },
    async exchange(account, subjectToken, scope, signal) {
      const body = new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        audience: account.audience,
        scope,
        requested_token_type: ACCESS_TOKEN_TYPE,
        subject_token: subjectToken,
        subject_token_type: account.subject_token_type,
      }).toString();
      const url = new URL(account.token_url);
      return readAccessToken(
        await ask(
          "Google's security token service",
          url,
          { method: 'POST', headers: FORM, body, signal },
          () => 'look at the audience, the attribute condition and the issuer of the workload identity pool',
        ),
      );
    },
    async impersonate(url, token, scope, signal) {
      const { body } = await askIam(url, token, { scope: [scope], lifetime: '3600s' }, signal);
      const impersonated = textIn(body, 'accessToken');
      const expiresAt = Date.parse(String(body.expireTime));
      if (impersonated !== undefined && !Number.isNaN(expiresAt)) return { token: impersonated, expiresAt };
      throw new CredentialUnavailableError("the answer of Google's IAM credentials service holds no token");
    },
    async impersonateFor(url, token, audience, signal) {
      const { body } = await askIam(url, token, { audience, includeEmail: true }, signal);
      return requireToken(textIn(body, 'token'));
    },
  };
}

function requireToken(token: string | undefined): string {
  if (token !== undefined) return token;
  throw new CredentialUnavailableError('the answer of Google holds no identity token');
}

function privateKeyOf(key: ServiceAccountKey): KeyObject {
  try {
    return createPrivateKey(key.private_key);
  } catch {
    // What OpenSSL says may name parts of the key.
    throw new CredentialUnavailableError(
      `the private_key of ${key.client_email} is no PEM key: make a new key file`,
    );
  }
}

function refusedKey({ body }: JsonAnswer): string {
  const words = wordsOf(body);
  if (/signature/i.test(words)) return 'the key was deleted or belongs to another account: make a new one';
  if (/time|expir|iat|exp\b/i.test(words)) return "this machine's clock is off";
  if (/account not found|not found/i.test(words)) return 'the service account is gone';
  return 'the key or its service account is disabled or deleted';
}
