import type { Clock, Secret } from '../../../core/index.ts';
import { createHttpClient } from '../../../network/index.ts';
import { isRecord } from '../../../oci/index.ts';
import { certificateAuthorityOf } from '../certificate-authority.ts';
import { readToken } from '../json-web-token/index.ts';
import { type Answer, createRecentAnswers } from '../recent-answers.ts';
import type { Outcome } from '../verifier.ts';
import type { KubernetesReviewOptions, KubernetesVerifierOptions } from './options.ts';
import { accountOfUser, identify, parseAccountName } from './service-account.ts';

/** Something that says whose token it is. */
export interface TokenChecker {
  /** @throws when nobody can be asked */
  check(token: Secret): Promise<Outcome>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 5_000;
const MAXIMUM_BYTES = 256 * 1024;
const REMEMBER_MS = 60_000;
const PATH = '/apis/authentication.k8s.io/v1/tokenreviews';

/**
 * Asks the API server. What is no token of a service account, or was made for another audience, is not sent: it may be
 * somebody's password.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
 */
export function createTokenReviewer(
  options: KubernetesVerifierOptions,
  review: KubernetesReviewOptions,
  clock: Clock,
): TokenChecker {
  const client = createHttpClient({
    reach: 'any',
    certificateAuthority: certificateAuthorityOf(review.certificateAuthorityFile),
    timeoutMs: TIMEOUT_MS,
    maximumBytes: MAXIMUM_BYTES,
  });
  const url = new URL(`${review.apiServer.replace(/\/$/, '')}${PATH}`);
  const ownToken = review.tokenFile.text().trim();
  const answers = createRecentAnswers({ rememberMs: REMEMBER_MS }, clock);
  let closing: Promise<void> | undefined;

  async function ask(token: string, endsAt: number | undefined, signal: AbortSignal): Promise<Answer> {
    const { status, body } = await client.request(url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${ownToken}`,
        'content-type': 'application/json',
        accept: 'application/json',
      },
      body: JSON.stringify({
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token, audiences: options.audience },
      }),
      signal,
    });
    const outcome =
      status === 200 || status === 201
        ? judge(options, body)
        : ({ type: 'cannot-tell', reason: reasonOf(status) } as const);
    return { outcome, validUntil: endsAt };
  }

  return {
    async check(token) {
      const text = token.reveal();
      const claims = readToken(text)?.claims;
      const refusal = claims ? findRefusal(options, claims) : 'it is no JWT';
      if (refusal !== undefined) return { type: 'refused', reason: refusal };
      const endsAt = typeof claims?.exp === 'number' ? claims.exp * 1000 : undefined;
      return answers.get([text], (signal) => ask(text, endsAt, signal));
    },
    async close() {
      answers.close();
      closing ??= client.close();
      await closing;
    },
  };
}

/** What the token says of itself, unverified: reason enough to refuse it, never to let it in. */
function findRefusal(
  options: KubernetesVerifierOptions,
  claims: Readonly<Record<string, unknown>>,
): string | undefined {
  if (!parseAccountName(claims.sub)) return 'it is no token of a service account';
  if (options.issuer !== undefined && claims.iss !== options.issuer) return 'another issuer';
  const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  if (!options.audience.some((audience) => audiences.includes(audience))) return 'another audience';
  return undefined;
}

function judge(options: KubernetesVerifierOptions, body: Buffer): Outcome {
  const answer = parseJson(body);
  if (!isRecord(answer) || answer.kind !== 'TokenReview' || !isRecord(answer.status)) {
    return { type: 'cannot-tell', reason: 'the API server answered something else than a TokenReview' };
  }
  const { authenticated, audiences, user } = answer.status;
  if (authenticated !== true) return { type: 'refused', reason: 'the cluster does not take the token' };
  // An API server that does not know audiences leaves the list empty, and has checked the token for itself only.
  const held = Array.isArray(audiences) ? audiences : [];
  if (!options.audience.some((audience) => held.includes(audience))) {
    return { type: 'refused', reason: 'the cluster takes the token, but not for our audience' };
  }
  return identify(options, accountOfUser(user));
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function reasonOf(status: number): string {
  if (status === 401) return "the API server does not take the proxy's own token (tokenFile)";
  if (status === 403) {
    return "the proxy's own account may not review tokens: bind it to the cluster role system:auth-delegator";
  }
  return `the API server answered ${status}`;
}
