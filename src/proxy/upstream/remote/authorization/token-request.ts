import { type Credential, IDENTITY_TOKEN_USER } from '../../../../credentials/index.ts';
import { UpstreamError } from '../../errors.ts';
import { isRedirect, type SmallAnswer } from '../answers/index.ts';
import type { Target } from '../transport/index.ts';
import { basicAuthorization } from './basic.ts';
import type { Outcome } from './credential-watch.ts';
import type { Scheme } from './scheme.ts';
import { type BearerToken, parseTokenAnswer } from './token-answer.ts';

export type BearerScheme = Extract<Scheme, { type: 'bearer' }>;

/** What a token server is asked: by GET, or by POST where there is a form. */
export interface TokenQuestion extends Target {
  readonly headers: Readonly<Record<string, string>>;
  readonly form?: URLSearchParams;
}

/** Asks a token server; retries are the sender's. */
export type TokenSender = (question: TokenQuestion) => Promise<SmallAnswer>;

const CLIENT_ID = 'docker-registry-proxy';

export interface TokenResult {
  readonly result: BearerToken | UpstreamError;
  readonly outcome: Outcome;
}

/**
 * Asks a token server for one scope, or for several with spaces between them; without one, for a token that shows a login and is good for nothing else.
 * @see distribution, "Token Authentication Specification", "Requesting a Token"
 */
export async function requestToken(
  scheme: BearerScheme,
  scope: string | undefined,
  credential: Credential | undefined,
  send: TokenSender,
): Promise<TokenResult> {
  const { url } = scheme.realm;
  const { status, headers, content } = await send(
    credential?.username === IDENTITY_TOKEN_USER
      ? refreshQuestion(scheme, scope, credential)
      : passwordQuestion(scheme, scope, credential),
  );
  if (status === 200) return { result: parseTokenAnswer(content.toString('utf8')), outcome: 'accepted' };
  const failed = (kind: UpstreamError['kind'], outcome: Outcome): TokenResult => {
    const retryAfter = headers.get('retry-after');
    return {
      result: new UpstreamError(kind, `the token server ${url.origin} answered ${status}`, { retryAfter }),
      outcome,
    };
  };
  if (status === 401 || isInvalidGrant(status, content)) return failed('refused', 'refused');
  if (status === 403) return failed('refused', 'forbidden');
  if (status === 429) return failed('rate-limited', 'undecided');
  if (status === 503) return failed('unreachable', 'undecided');
  return failed(isRedirect(status) ? 'unsafe' : 'faulty', 'undecided');
}

function passwordQuestion(
  { realm, service }: BearerScheme,
  scope: string | undefined,
  credential: Credential | undefined,
): TokenQuestion {
  const url = new URL(realm.url);
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.delete('scope');
  for (const one of scope?.split(' ') ?? []) url.searchParams.append('scope', one);
  const headers: Record<string, string> = credential ? { authorization: basicAuthorization(credential) } : {};
  return { url, trust: realm.trust, headers };
}

/** @see distribution, "OAuth2 Token Authentication", grant type `refresh_token` */
function refreshQuestion(
  { realm, service }: BearerScheme,
  scope: string | undefined,
  credential: Credential,
): TokenQuestion {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: credential.password.reveal(),
    client_id: CLIENT_ID,
    ...(scope !== undefined && { scope }),
    ...(service !== undefined && { service }),
  });
  return { ...realm, headers: { 'content-type': 'application/x-www-form-urlencoded' }, form };
}

/** How OAuth 2.0 says that a refresh token is not good (any more). @see RFC 6749, section 5.2 */
function isInvalidGrant(status: number, content: Buffer): boolean {
  return status === 400 && content.includes('"invalid_grant"');
}
