import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type ApiClient, connectToCluster } from '../../../../src/kubelet/setup/cluster/index.ts';
import { createCertificateAuthority } from '../../../support/certificates.ts';
import { type LeaseServer, startLeaseServer, TOKEN } from './lease-server.ts';

/** A cluster with nothing but leases, and a client as a pod has it; both end with the running test. */
export async function startCluster(): Promise<{ readonly api: LeaseServer; readonly client: ApiClient }> {
  const authority = await createCertificateAuthority();
  const api = await startLeaseServer(await authority.issue(['127.0.0.1']));
  const folder = await mkdtemp(join(tmpdir(), 'drp-account-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'ca.crt'), authority.certificatePem);
  await writeFile(join(folder, 'namespace'), 'drp\n');
  await writeFile(join(folder, 'token'), `${TOKEN}\n`);
  const { hostname, port } = new URL(api.server.url);
  const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  const client = await connectToCluster(env, folder);
  if (!client) throw new Error('not connected');
  onTestFinished(() => client.close());
  return { api, client };
}
