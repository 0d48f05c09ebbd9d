import { rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import {
  type InstallOptions,
  install,
  nodeStatus,
  type SetupDependencies,
  uninstall,
} from '../../../src/kubelet/setup/index.ts';
import { createFakeNode, type FakeNode, TIMING } from './fake-node.ts';
import { ENDPOINT, installOptions, NOBODY_STOPS, SOCKET } from './kill-matrix.ts';

const DECISION = '/etc/kubernetes/kubelet/config.json.d/90-drp.conf';
const ENVIRONMENT = '/run/drp/kubelet.env';
const DROP_IN = '/etc/systemd/system/kubelet.service.d/90-drp.conf';
const ORIGINAL = '/var/lib/drp/node/kubelet.service.original';
/** What is only there with one of them. */
const TRACES: Readonly<Record<string, readonly string[]>> = {
  'config-dir': [DECISION, DROP_IN],
  'drop-in': [ENVIRONMENT, DROP_IN],
  unit: [ENVIRONMENT, ORIGINAL],
};

const installed = (
  node: FakeNode,
  changes: Partial<InstallOptions> = {},
  setup?: Partial<SetupDependencies>,
) => install(installOptions(node, changes), TIMING, node.setup(setup), NOBODY_STOPS);
const status = (node: FakeNode, setup?: Partial<SetupDependencies>) =>
  nodeStatus('kubelet.service', SOCKET, node.setup(setup));

async function traces(node: FakeNode): Promise<string[]> {
  const paths = [DECISION, ENVIRONMENT, DROP_IN, ORIGINAL];
  const found = await Promise.all(paths.map((path) => node.setup().files.exists(path)));
  return paths.filter((_, index) => found[index]);
}

it('goes over from each strategy to each other, and leaves nothing of the one before', async () => {
  const node = await createFakeNode('eks-al2023');
  const before = await node.snapshot();
  const way = ['config-dir', 'drop-in', 'config-dir', 'unit', 'drop-in', 'unit', 'config-dir'] as const;
  for (const strategy of way) {
    expect(await installed(node, { strategy })).toMatchObject({ outcome: 'installed' });
    expect({ strategy, traces: await traces(node) }).toEqual({ strategy, traces: TRACES[strategy] });
    expect(await status(node)).toMatchObject({ verdict: 'in-use', strategy, changedFiles: [] });
    expect(await node.endpoint()).toBe(ENDPOINT);
  }
  await uninstall(TIMING, node.setup());
  expect(await node.snapshot()).toEqual(before);
  expect(await node.endpoint()).toBeUndefined();
});

it('is back at the first strategy when kubelet is not well with the second', async () => {
  const node = await createFakeNode('eks-al2023');
  await installed(node);
  const before = await node.snapshot();
  const restarts = node.restarts;
  node.behaviour = () => (node.restarts === restarts + 1 ? 'unwell' : 'well');
  await expect(installed(node, { strategy: 'drop-in' })).rejects.toThrow('the node is as it was');
  expect(await node.snapshot()).toMatchObject(before);
  expect(await traces(node)).toEqual(TRACES['config-dir']);
  expect(await status(node)).toMatchObject({ verdict: 'in-use', strategy: 'config-dir' });
});

it('takes back what the guard of the first decides while its kubelet is stopped', async () => {
  const node = await createFakeNode('eks-al2023');
  await installed(node);
  const { systemd } = node.setup();
  const restart = async (unit: string): Promise<void> => {
    expect(await traces(node)).not.toContain(DECISION);
    await node.write(DECISION, JSON.stringify({ imageServiceEndpoint: ENDPOINT }));
    await systemd.restart(unit);
  };
  await installed(node, { strategy: 'drop-in' }, { systemd: { ...systemd, restart } });
  expect(await traces(node)).toEqual(TRACES['drop-in']);
});

async function withoutDecision(): Promise<FakeNode> {
  const node = await createFakeNode('eks-al2023');
  await installed(node);
  await rm(join(node.root, DECISION));
  const later = new Date(Date.now() + 60_000);
  await utimes(join(node.root, dirname(DECISION)), later, later);
  return node;
}

it('restarts a kubelet that may have read a file which is gone', async () => {
  const node = await withoutDecision();
  expect(await node.endpoint()).toBe(ENDPOINT);
  expect(await status(node)).toMatchObject({ verdict: 'changed', kubelet: { source: 'unknown' } });
  await uninstall(TIMING, node.setup());
  expect(await node.endpoint()).toBeUndefined();
});

it('asks kubelet itself where it can', async () => {
  const node = await withoutDecision();
  const restarts = node.restarts;
  const configz = async () => ({
    imageServiceEndpoint: await node.endpoint(),
    containerRuntimeEndpoint: undefined,
    healthzPort: undefined,
  });
  expect(await status(node, { configz })).toMatchObject({
    verdict: 'in-use',
    kubelet: { source: 'configz' },
  });
  expect(await installed(node, {}, { configz })).toMatchObject({ outcome: 'unchanged' });
  expect(node.restarts).toBe(restarts);
});

it.each(['config-dir', 'drop-in'] as const)(
  'sees that a later drop-in has taken the guard away, and comes after that: %s',
  async (strategy) => {
    const node = await createFakeNode('eks-al2023');
    await installed(node, { strategy });
    const later = '/etc/systemd/system/kubelet.service.d/95-later.conf';
    await node.write(later, '[Service]\nExecStartPre=\nExecStartPre=/sbin/iptables -P FORWARD ACCEPT\n');
    await node.reload();
    expect(await status(node)).toMatchObject({ verdict: 'changed', changedFiles: [later] });
    await installed(node);
    expect(await status(node)).toMatchObject({ verdict: 'in-use', changedFiles: [] });
    expect(await traces(node)).not.toContain(DROP_IN);
    node.serviceWorks = () => false;
    await node.startKubelet();
    expect(await node.endpoint()).toBeUndefined();
  },
);

it('keeps a configuration that was edited, wherever it lies', async () => {
  const node = await createFakeNode('eks-al2');
  const configFile = '/etc/node/drp-mine.yaml';
  await installed(node, { configFile });
  await node.write(configFile, `${await node.read(configFile)}# mine\n`);
  const { notes } = await uninstall(TIMING, node.setup());
  expect(notes).toEqual([expect.stringContaining(configFile)]);
  expect(await node.read(configFile)).toContain('# mine');
});
