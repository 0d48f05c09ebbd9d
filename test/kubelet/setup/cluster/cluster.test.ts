import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { acquireLease, connectToCluster, readConfigz } from '../../../../src/kubelet/setup/cluster/index.ts';
import { createCertificateAuthority } from '../../../support/certificates.ts';
import { waitFor } from '../../../support/wait.ts';
import { createStepClock } from '../step-clock.ts';
import { startLeaseServer, TOKEN } from './lease-server.ts';

const signal = new AbortController().signal;
const LEASE = { name: 'drp-node-setup', holder: 'node-1', durationMs: 60_000 };

async function cluster() {
  const authority = await createCertificateAuthority();
  const api = await startLeaseServer(await authority.issue(['127.0.0.1']));
  const folder = await mkdtemp(join(tmpdir(), 'drp-account-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'ca.crt'), authority.certificatePem);
  await writeFile(join(folder, 'namespace'), 'drp\n');
  await writeFile(join(folder, 'token'), `${TOKEN}\n`);
  const { hostname, port } = new URL(api.server.url);
  const client = await connectToCluster(
    { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
    folder,
  );
  if (!client) throw new Error('not connected');
  onTestFinished(() => client.close());
  return { api, client, clock: createStepClock() };
}

/** A clock that stands still while it is waited for: the lease is not renewed. */
function standingClock() {
  const clock = createStepClock();
  return {
    ...clock,
    sleep: (_: number, stop?: AbortSignal) =>
      new Promise<void>((_resolve, reject) => stop?.addEventListener('abort', () => reject(stop.reason))),
  };
}

it('is no cluster without the variables that every pod has', async () => {
  expect(await connectToCluster({})).toBeUndefined();
});

it('takes a lease that nobody has, and gives it back', async () => {
  const { api, client } = await cluster();
  const lease = await acquireLease(LEASE, client, standingClock(), signal);
  expect(api.lease()?.spec).toMatchObject({
    holderIdentity: 'node-1',
    leaseDurationSeconds: 60,
    leaseTransitions: 1,
  });
  await lease.release();
  expect(api.lease()?.spec.holderIdentity).toBeUndefined();
  expect(lease.lost.aborted).toBe(false);
});

it('waits for another node until that has not been heard of for the whole duration', async () => {
  const { api, client } = await cluster();
  api.put({
    holderIdentity: 'node-2',
    leaseDurationSeconds: 60,
    renewTime: '2001-01-01T00:00:00.000000Z',
    leaseTransitions: 4,
  });
  const clock = createStepClock();
  const began = clock.now();
  const waited: string[] = [];
  let sleeps = 0;
  const lease = await acquireLease(
    LEASE,
    client,
    {
      now: clock.now,
      async sleep(milliseconds, stop) {
        if (clock.now() - began >= 72_000) return standingClock().sleep(milliseconds, stop);
        // It is renewed once while we wait.
        if (++sleeps === 1)
          api.put({ holderIdentity: 'node-2', leaseDurationSeconds: 60, leaseTransitions: 4 });
        await clock.sleep(milliseconds, stop);
      },
    },
    signal,
    (holder) => waited.push(holder),
  );
  expect(clock.now() - began).toBe(72_000);
  expect(new Set(waited)).toEqual(new Set(['node-2']));
  expect(api.lease()?.spec).toMatchObject({ holderIdentity: 'node-1', leaseTransitions: 5 });
  await lease.release();
});

it('takes back its own lease at once: the pod was started again', async () => {
  const { api, client } = await cluster();
  api.put({ holderIdentity: 'node-1', leaseDurationSeconds: 60, leaseTransitions: 2 });
  const lease = await acquireLease(LEASE, client, standingClock(), signal);
  expect(api.lease()?.spec).toMatchObject({ holderIdentity: 'node-1', leaseTransitions: 2 });
  await lease.release();
});

it('renews, and says when somebody else has taken it', async () => {
  const { api, client } = await cluster();
  const clock = createStepClock();
  const lease = await acquireLease(LEASE, client, clock, signal);
  await waitFor('a renewal', () => (Number(api.lease()?.metadata.resourceVersion) > 2 ? true : undefined));
  api.put({ holderIdentity: 'node-3', leaseDurationSeconds: 60 });
  await waitFor('the loss', () => lease.lost.aborted || undefined);
  await lease.release();
  expect(api.lease()?.spec.holderIdentity).toBe('node-3');
});

it('says what the service account needs', async () => {
  const { api, client, clock } = await cluster();
  api.forbid();
  await expect(acquireLease(LEASE, client, clock, signal)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('get, create and update on leases'),
  });
});

it('asks kubelet through the API server what it runs with', async () => {
  const { client } = await cluster();
  expect(await readConfigz(client, 'node-1')).toMatchObject({ imageServiceEndpoint: 'unix:///run/a.sock' });
  expect(await readConfigz(client, '../node-2')).toBeUndefined();
});
