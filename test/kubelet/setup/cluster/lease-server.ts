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
  forbid(): void;
}

export async function startLeaseServer(tls: IssuedCertificate): Promise<LeaseServer> {
  let lease: Lease | undefined;
  let version = 1;
  let forbidden = false;

  function answer({ method, path, headers, body }: Received): FakeAnswer | undefined {
    if (headers.authorization !== `Bearer ${TOKEN}`) return failure(401);
    if (forbidden) return failure(403);
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
    forbid: () => {
      forbidden = true;
    },
  };
}

function failure(code: number): FakeAnswer {
  return { status: code, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code } };
}
