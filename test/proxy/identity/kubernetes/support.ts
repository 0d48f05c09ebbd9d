import type { z } from 'zod';
import { type FileReference, Secret } from '../../../../src/core/index.ts';
import {
  createKubernetesVerifier,
  type Outcome,
  type Verifier,
} from '../../../../src/proxy/identity/index.ts';
import { kubernetesVerifierOptions } from '../../../../src/proxy/identity/kubernetes/index.ts';
import { createCertificateAuthority } from '../../../support/certificates.ts';
import { AUDIENCE, createIssuer, type IssuerKey, type TestIssuer } from '../support/issuer.ts';
import { createStillClock, type StillClock } from '../support/still-clock.ts';
import { type ApiServer, REVIEWER_TOKEN, startApiServer } from './api-server.ts';

export type KubernetesInput = Partial<z.input<typeof kubernetesVerifierOptions>>;

/** A cluster: what signs its tokens, and the API that reviews them. */
export interface Cluster {
  readonly clock: StillClock;
  readonly issuer: TestIssuer;
  readonly api: ApiServer;
  /** A token of the pod build-1 of the account ci/builder. */
  accountToken(claims?: Readonly<Record<string, unknown>>): Promise<string>;
  verifierOf(input?: KubernetesInput, ownToken?: string): TestVerifier;
}

export interface TestVerifier {
  readonly verifier: Verifier;
  verify(token: string): Promise<Outcome>;
}

export const IDENTITY = {
  verifier: 'cluster',
  name: 'system:serviceaccount:ci:builder',
  groups: [],
  claims: {
    namespace: 'ci',
    serviceAccount: 'builder',
    uid: 'uid-of-builder',
    pod: 'build-1',
    node: 'node-1',
  },
};

export async function createCluster(
  key: IssuerKey,
  options: { readonly mayReview?: boolean } = {},
): Promise<Cluster> {
  const clock = createStillClock();
  const authority = await createCertificateAuthority();
  const tls = await authority.issue(['127.0.0.1']);
  const issuer = await createIssuer(key, clock);
  const signed = new Set<string>();
  const api = await startApiServer((token) => signed.has(token), issuer, tls, options);
  const load = (reference: FileReference | undefined, text: string) =>
    reference?.resolve(`/etc/${reference.path}`, Buffer.from(text));
  return {
    clock,
    issuer,
    api,
    async accountToken(claims = {}) {
      const token = await issuer.sign({
        sub: 'system:serviceaccount:ci:builder',
        aud: [AUDIENCE],
        jti: 'a',
        'kubernetes.io': {
          namespace: 'ci',
          node: { name: 'node-1', uid: 'uid-of-node' },
          pod: { name: 'build-1', uid: 'uid-of-pod' },
          serviceaccount: { name: 'builder', uid: 'uid-of-builder' },
        },
        ...claims,
      });
      signed.add(token);
      return token;
    },
    verifierOf(input = {}, ownToken = `${REVIEWER_TOKEN}\n`) {
      const parsed = kubernetesVerifierOptions.parse({
        type: 'kubernetes',
        name: 'cluster',
        audience: AUDIENCE,
        namespaces: ['ci'],
        ...(input.offline === undefined && { review: { apiServer: api.server.url } }),
        ...input,
      });
      load(parsed.review?.certificateAuthorityFile, authority.certificatePem);
      load(parsed.review?.tokenFile, ownToken);
      load(parsed.offline?.tokenFile, ownToken);
      const verifier = createKubernetesVerifier(parsed, { clock, log: { warn: () => undefined } });
      return {
        verifier,
        verify: (token) =>
          verifier.verify({ username: 'any', password: new Secret(token) }, new AbortController().signal),
      };
    },
  };
}
