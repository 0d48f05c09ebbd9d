import { expect, it } from 'vitest';
import { acquireLease, connectToCluster, readConfigz } from '../../../../src/kubelet/setup/cluster/index.ts';
import { waitFor } from '../../../support/wait.ts';
import { createStepClock } from '../step-clock.ts';
import { startCluster } from './cluster.ts';

const signal = new AbortController().signal;
const LEASE = { name: 'drp-node-setup', holder: 'node-1', durationMs: 60_000, change: 'c0ffee' };
const FAILED = 'failed.drp-node-setup/c0ffee';

async function cluster() {
  return { ...(await startCluster()), clock: createStepClock() };
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
        if (clock.now() - began >= 70_000) return standingClock().sleep(milliseconds, stop);
        // It is renewed once while we wait.
        if (++sleeps === 1)
          api.put({ holderIdentity: 'node-2', leaseDurationSeconds: 60, leaseTransitions: 4 });
        await clock.sleep(milliseconds, stop);
      },
    },
    signal,
    (holder) => waited.push(holder),
  );
  expect(clock.now() - began).toBe(70_000);
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

it('lets nobody try again what has gone wrong, until that is cleared or it is something else', async () => {
  const { api, client } = await cluster();
  const first = await acquireLease(LEASE, client, standingClock(), signal);
  await first.release({ failure: 'kubelet was not well' });
  expect(api.lease()).toMatchObject({
    metadata: { annotations: { [FAILED]: expect.stringMatching(/^node-1, 20.*Z: kubelet was not well$/) } },
    spec: { leaseDurationSeconds: 60 },
  });
  expect(api.lease()?.spec.holderIdentity).toBeUndefined();

  for (const holder of ['node-1', 'node-2']) {
    await expect(acquireLease({ ...LEASE, holder }, client, standingClock(), signal)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(`kubectl annotate lease drp-node-setup --namespace drp ${FAILED}-`),
    });
  }
  const other = await acquireLease({ ...LEASE, change: 'decaf0' }, client, standingClock(), signal);
  await other.release();
  expect(api.lease()?.metadata.annotations).toHaveProperty([FAILED]);

  api.annotate({});
  await (await acquireLease({ ...LEASE, holder: 'node-2' }, client, standingClock(), signal)).release();
});

it('keeps the lease while the host has still to undo something', async () => {
  const { api, client } = await cluster();
  const lease = await acquireLease(LEASE, client, standingClock(), signal);
  await lease.release({ isPending: true });
  expect(api.lease()?.spec.holderIdentity).toBe('node-1');
});

it('does not lose the lease to somebody who annotates it', async () => {
  const { api, client } = await cluster();
  const clock = createStepClock();
  let renewals = 0;
  const sleep = (milliseconds: number, stop?: AbortSignal) =>
    renewals++ === 0 ? clock.sleep(milliseconds, stop) : standingClock().sleep(milliseconds, stop);
  api.annotateBeforeUpdate({ by: 'somebody' });
  const lease = await acquireLease(LEASE, client, { now: clock.now, sleep }, signal);
  await waitFor('a renewal', () => (renewals > 1 ? true : undefined));
  await lease.release();
  expect(lease.lost.aborted).toBe(false);
  expect(api.lease()).toMatchObject({ metadata: { annotations: { by: 'somebody' } } });
  expect(api.lease()?.spec.holderIdentity).toBeUndefined();
});

it('tries again to give the lease back', async () => {
  const { api, client } = await cluster();
  const held = standingClock();
  const lease = await acquireLease(LEASE, client, held, signal);
  api.failOnce();
  held.sleep = () => Promise.resolve();
  await lease.release({ failure: 'kubelet was not well' });
  expect(api.lease()?.metadata.annotations).toHaveProperty([FAILED]);
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
