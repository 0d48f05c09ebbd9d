import { expect, it } from 'vitest';
import { changeId } from '../../../src/cli/node/change-id.ts';
import { inTurn } from '../../../src/cli/node/in-turn.ts';
import type { OpenNode } from '../../../src/cli/node/open-node.ts';
import {
  type ApiClient,
  type InstallOptions,
  install,
  type Step,
  uninstall,
} from '../../../src/kubelet/setup/index.ts';
import { startCluster } from '../../kubelet/setup/cluster/cluster.ts';
import { createFakeNode, type FakeNode, TIMING } from '../../kubelet/setup/fake-node.ts';
import { installOptions } from '../../kubelet/setup/kill-matrix.ts';
import { runUntilDeath } from '../../kubelet/setup/killed.ts';

function opened(
  node: FakeNode,
  nodeName: string,
  cluster: ApiClient,
): OpenNode & { readonly steps: string[] } {
  const steps: string[] = [];
  const report = ({ name }: Step): void => void steps.push(name);
  return {
    setup: node.setup({ progress: report }),
    cluster,
    nodeName,
    report,
    steps,
    hasBegun: () => steps.includes('begin journal'),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function installInTurn(
  node: FakeNode,
  open: OpenNode,
  changes: Partial<InstallOptions> = {},
  stop = new AbortController(),
) {
  const options = installOptions(node, changes);
  const turn = { change: await changeId(options, TIMING, open.setup), timing: TIMING };
  return inTurn(turn, open, stop.signal, (signal) => install(options, TIMING, open.setup, signal));
}

/** With a kubelet that is not well with the image service. */
async function brokenNode(): Promise<FakeNode> {
  const node = await createFakeNode('eks-al2');
  node.behaviour = (endpoint) => (endpoint === undefined ? 'well' : 'unwell');
  return node;
}

const SAME = { program: { type: 'in-place', words: ['/srv/drp'] } } as const;
const OTHER = { ...SAME, configText: 'log: { level: debug }\n' };

it('a change that has gone wrong on one node meets no other, and that one not again', async () => {
  const { api, client } = await startCluster();
  const [first, second] = [await brokenNode(), await createFakeNode('eks-al2')];
  await expect(installInTurn(first, opened(first, 'node-1', client), SAME)).rejects.toThrow('as it was');
  expect(JSON.stringify(api.lease()?.metadata.annotations)).toMatch(/node-1, .*: .*the node is as it was/);

  for (const [node, name] of [
    [first, 'node-1'],
    [second, 'node-2'],
  ] as const) {
    const [restarts, open] = [node.restarts, opened(node, name, client)];
    await expect(installInTurn(node, open, SAME)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/gone wrong.*: node-1, .*kubectl annotate lease/),
    });
    expect([node.restarts, open.steps]).toEqual([restarts, []]);
  }
  expect(await installInTurn(second, opened(second, 'node-2', client), OTHER)).toMatchObject({
    outcome: 'installed',
  });
});

it('what was refused before anything was begun says nothing about the change', async () => {
  const { api, client } = await startCluster();
  const node = await createFakeNode('eks-al2');
  node.behaviour = () => 'unwell';
  await expect(installInTurn(node, opened(node, 'node-1', client), SAME)).rejects.toThrow('before anything');
  expect(api.lease()?.metadata.annotations).toBeUndefined();
  expect(api.lease()?.spec.holderIdentity).toBeUndefined();
});

it('an installation that is interrupted says nothing about the change', async () => {
  const { api, client } = await startCluster();
  const node = await createFakeNode('eks-al2');
  const stop = new AbortController();
  const open = opened(node, 'node-1', client);
  const report = (step: Step): void => {
    open.report(step);
    if (step.name === 'compare answers') stop.abort(new Error('it was interrupted'));
  };
  const interrupted = { ...open, setup: node.setup({ progress: report }) };
  await expect(installInTurn(node, interrupted, SAME, stop)).rejects.toThrow('it was interrupted');
  expect(api.lease()?.metadata.annotations).toBeUndefined();
});

it('other nodes wait while the host of a killed installer has still to undo it', async () => {
  const { api, client } = await startCluster();
  const node = await createFakeNode('eks-al2');
  await runUntilDeath(node, { at: 9, when: 'before' }, (dependencies) =>
    install(installOptions(node, SAME), TIMING, dependencies, new AbortController().signal),
  );
  await expect(installInTurn(node, opened(node, 'node-1', client), SAME)).rejects.toMatchObject({
    code: 'busy',
  });
  expect(api.lease()?.spec).toMatchObject({ holderIdentity: 'node-1' });
  expect(Number(api.lease()?.spec.leaseDurationSeconds) * 1000).toBeGreaterThan(TIMING.undoAfterMs);
});

it('an uninstallation waits for its turn, and one that has gone wrong meets no other node', async () => {
  const { api, client } = await startCluster();
  const node = await createFakeNode('eks-al2');
  await installInTurn(node, opened(node, 'node-1', client), SAME);
  node.behaviour = (endpoint) => (endpoint === undefined ? 'unwell' : 'well');
  const turn = { change: 'uninstall', timing: TIMING };
  const uninstallIn = (name: string) => {
    const open = opened(node, name, client);
    return inTurn(turn, open, new AbortController().signal, () => uninstall(TIMING, open.setup));
  };
  await expect(uninstallIn('node-1')).rejects.toMatchObject({ code: 'unhealthy' });
  expect(api.lease()).toMatchObject({
    metadata: { annotations: { 'failed.drp-node-setup/uninstall': expect.stringMatching(/^node-1, /) } },
    // The host has still to bring it to its end.
    spec: { holderIdentity: 'node-1' },
  });
  await expect(uninstallIn('node-2')).rejects.toMatchObject({ code: 'refused' });
});
