import { decodeJwt } from 'jose';
import { isRecord } from '../../../../src/oci/index.ts';
import type { IssuedCertificate } from '../../../support/certificates.ts';
import { type FakeAnswer, type HttpFake, type Received, startFake } from '../support/http-fake.ts';
import type { TestIssuer } from '../support/issuer.ts';

/**
 * The part of the Kubernetes API that reviews tokens, as the API reference describes it: it wants a known reviewer
 * who may create token reviews, a body of the right kind, and answers 201 with the review and its status.
 */
export interface ApiServer {
  readonly server: HttpFake;
  /** Replaces the whole answer. */
  answerInstead(answer: (() => FakeAnswer | undefined) | undefined): void;
  /** Changes the status before it is sent. */
  changeStatus(change: ((status: Record<string, unknown>) => Record<string, unknown>) | undefined): void;
  /** Tokens that are good no more, as those of a deleted pod. */
  revoke(token: string): void;
}

export const REVIEWER_TOKEN = 'token-of-the-proxy';
const PATH = '/apis/authentication.k8s.io/v1/tokenreviews';

export async function startApiServer(
  signed: (token: string) => boolean,
  issuer: Pick<TestIssuer, 'url'>,
  tls: IssuedCertificate,
  options: { readonly mayReview?: boolean } = {},
): Promise<ApiServer> {
  let instead: (() => FakeAnswer | undefined) | undefined;
  let change: ((status: Record<string, unknown>) => Record<string, unknown>) | undefined;
  const revoked = new Set<string>();

  function review(token: string, asked: readonly string[]): Record<string, unknown> {
    if (!signed(token) || revoked.has(token)) {
      return { user: {}, error: '[invalid bearer token, square/go-jose: error in cryptographic primitive]' };
    }
    const claims = decodeJwt(token);
    const held = [claims.aud ?? []].flat().filter((audience) => asked.includes(audience));
    if (claims.iss !== issuer.url || held.length === 0) return { user: {}, error: 'invalid bearer token' };
    const own = claims['kubernetes.io'] as Record<string, { name: string; uid: string }>;
    return {
      authenticated: true,
      user: {
        username: claims.sub,
        uid: own.serviceaccount?.uid,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${own.namespace}`, 'system:authenticated'],
        extra: {
          'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
          ...(own.pod && {
            'authentication.kubernetes.io/pod-name': [own.pod.name],
            'authentication.kubernetes.io/pod-uid': [own.pod.uid],
          }),
          ...(own.node && { 'authentication.kubernetes.io/node-name': [own.node.name] }),
        },
      },
      audiences: held,
    };
  }

  function answer({ method, path, headers, body }: Received): FakeAnswer | undefined {
    if (instead) return instead();
    if (headers.authorization !== `Bearer ${REVIEWER_TOKEN}`) return failure(401, 'Unauthorized');
    if (path !== PATH) return failure(404, 'NotFound');
    if (method !== 'POST') return failure(405, 'MethodNotAllowed');
    if (options.mayReview === false) return failure(403, 'Forbidden');
    if (headers['content-type'] !== 'application/json') return failure(415, 'UnsupportedMediaType');
    const asked: unknown = JSON.parse(body);
    if (!isRecord(asked) || asked.apiVersion !== 'authentication.k8s.io/v1' || asked.kind !== 'TokenReview') {
      return failure(400, 'BadRequest');
    }
    const { spec } = asked;
    if (!isRecord(spec) || typeof spec.token !== 'string' || spec.token === '')
      return failure(422, 'Invalid');
    const status = review(spec.token, Array.isArray(spec.audiences) ? spec.audiences : ['https://api']);
    return {
      status: 201,
      body: { ...asked, metadata: { creationTimestamp: null }, status: change ? change(status) : status },
    };
  }

  return {
    server: await startFake(answer, tls),
    answerInstead: (next) => {
      instead = next;
    },
    changeStatus: (next) => {
      change = next;
    },
    revoke: (token) => {
      revoked.add(token);
    },
  };
}

function failure(code: number, reason: string): FakeAnswer {
  return { status: code, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code } };
}
