import type { Credential } from '../../../../credentials/index.ts';
import { UpstreamError } from '../../errors.ts';
import { isRedirect, type SmallAnswer } from '../answers/index.ts';
import type { Target } from '../transport/index.ts';
import { basicAuthorization } from './basic.ts';
import type { Outcome } from './credential-guard.ts';
import type { Scheme } from './scheme.ts';
import { type BearerToken, parseTokenAnswer } from './token-answer.ts';

export type BearerScheme = Extract<Scheme, { type: 'bearer' }>;

/** Sends a GET to a token server; retries are the sender's. */
export type TokenSender = (target: Target, headers: Readonly<Record<string, string>>) => Promise<SmallAnswer>;

export interface TokenResult {
  readonly result: BearerToken | UpstreamError;
  readonly outcome: Outcome;
}

/**
 * Asks a token server for one scope, or for several with spaces between them.
 * @see distribution, "Token Authentication Specification", "Requesting a Token"
 */
export async function requestToken(
  scheme: BearerScheme,
  scope: string,
  credential: Credential | undefined,
  send: TokenSender,
): Promise<TokenResult> {
  const { realm, service } = scheme;
  const url = new URL(realm.url);
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.delete('scope');
  for (const one of scope.split(' ')) url.searchParams.append('scope', one);
  const { status, headers, content } = await send(
    { url, trust: realm.trust },
    credential ? { authorization: basicAuthorization(credential) } : {},
  );
  if (status === 200) return { result: parseTokenAnswer(content.toString('utf8')), outcome: 'accepted' };
  const failed = (kind: UpstreamError['kind'], outcome: Outcome): TokenResult => {
    const retryAfter = headers.get('retry-after');
    return {
      result: new UpstreamError(kind, `the token server ${url.origin} answered ${status}`, { retryAfter }),
      outcome,
    };
  };
  if (status === 401) return failed('refused', 'refused');
  if (status === 403) return failed('refused', 'forbidden');
  if (status === 429) return failed('rate-limited', 'undecided');
  if (status === 503) return failed('unreachable', 'undecided');
  return failed(isRedirect(status) ? 'unsafe' : 'faulty', 'undecided');
}
