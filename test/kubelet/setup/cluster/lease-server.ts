import {
  type FakeAnswer,
  type HttpFake,
  type Received,
  startFake,
} from '../../../proxy/identity/support/http-fake.ts';
import type { IssuedCertificate } from '../../../support/certificates.ts';

export const TOKEN = 'token-of-the-installer';
const FOLDER = '/apis/coordination.k8s.io/v1/namespaces/drp/leases';

interface Lease {
  metadata: { name: string; resourceVersion: string; [key: string]: unknown };
  spec: Record<string, unknown>;
}

/** The part of the Kubernetes API that keeps leases: a change has to name the version that it changes. */
export interface LeaseServer {
  readonly server: HttpFake;
  lease(): Lease | undefined;
  put(spec: Record<string, unknown>): void;
  /** As `kubectl annotate` does. */
  annotate(annotations: Record<string, string>): void;
  /** The same right before the next update arrives. */
  annotateBeforeUpdate(annotations: Record<string, string>): void;
  /** The next request fails. */
  failOnce(): void;
  forbid(): void;
}

export async function startLeaseServer(tls: IssuedCertificate): Promise<LeaseServer> {
  let lease: Lease | undefined;
  let version = 1;
  let forbidden = false;
  let failing = false;
  let beforeUpdate: Record<string, string> | undefined;

  function annotate(annotations: Record<string, string>): void {
    if (!lease) throw new Error('there is no lease');
    lease = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(version++), annotations } };
  }

  function answer({ method, path, headers, body }: Received): FakeAnswer | undefined {
    if (headers.authorization !== `Bearer ${TOKEN}`) return failure(401);
    if (forbidden) return failure(403);
    if (failing) {
      failing = false;
      return failure(500);
    }
    if (method === 'GET' && path === `${FOLDER}/drp-node-setup`)
      return lease ? { status: 200, body: lease } : failure(404);
    if (method === 'GET' && path === '/api/v1/nodes/node-1/proxy/configz') {
      return {
        status: 200,
        body: { kubeletconfig: { imageServiceEndpoint: 'unix:///run/a.sock', healthzPort: 10248 } },
      };
    }
    if (headers['content-type'] !== 'application/json') return failure(415);
    const sent = JSON.parse(body) as Lease & { apiVersion: string; kind: string };
    if (sent.apiVersion !== 'coordination.k8s.io/v1' || sent.kind !== 'Lease') return failure(400);
    for (const time of [sent.spec.renewTime, sent.spec.acquireTime]) {
      if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(String(time))) return failure(400);
    }
    if (method === 'POST' && path === FOLDER) {
      if (lease) return failure(409);
      lease = { metadata: { ...sent.metadata, resourceVersion: String(version++) }, spec: sent.spec };
      return { status: 201, body: lease };
    }
    if (method !== 'PUT' || path !== `${FOLDER}/drp-node-setup` || !lease) return failure(404);
    if (beforeUpdate) annotate(beforeUpdate);
    beforeUpdate = undefined;
    if (sent.metadata.resourceVersion !== lease.metadata.resourceVersion) return failure(409);
    lease = { metadata: { ...sent.metadata, resourceVersion: String(version++) }, spec: sent.spec };
    return { status: 200, body: lease };
  }

  return {
    server: await startFake(answer, tls),
    lease: () => lease,
    put: (spec) => {
      lease = { metadata: { name: 'drp-node-setup', resourceVersion: String(version++) }, spec };
    },
    annotate,
    annotateBeforeUpdate: (annotations) => {
      beforeUpdate = annotations;
    },
    failOnce: () => {
      failing = true;
    },
    forbid: () => {
      forbidden = true;
    },
  };
}

function failure(code: number): FakeAnswer {
  return { status: code, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code } };
}
