import { join } from 'node:path';
import { expect } from 'vitest';
import {
  type InstallOptions,
  install,
  nodeStatus,
  rollback,
  type SetupDependencies,
  type Strategy,
  uninstall,
} from '../../../src/kubelet/setup/index.ts';
import type { NodeKind } from '../../servers/systemd/index.ts';
import { createFakeNode, type FakeNode, TIMING } from './fake-node.ts';
import { countChanges, type Death, runUntilDeath } from './killed.ts';

export const SOCKET = '/run/drp/image-service.sock';
export const ENDPOINT = `unix://${SOCKET}`;
/** As the host undoes what was not finished. */
export const HOST = { timing: TIMING, boot: false };
export const NOBODY_STOPS = new AbortController().signal;

export const PLATFORMS: readonly { kind: NodeKind; strategy: InstallOptions['strategy'] }[] = [
  { kind: 'eks-al2023', strategy: undefined },
  { kind: 'eks-al2', strategy: undefined },
  { kind: 'gke-cos', strategy: 'unit' },
  { kind: 'kubeadm', strategy: 'unit' },
];

export function installOptions(node: FakeNode, changes: Partial<InstallOptions> = {}): InstallOptions {
  return {
    strategy: undefined,
    kubeletUnit: 'kubelet.service',
    socket: SOCKET,
    configFile: '/etc/drp/image-service.yaml',
    configText: undefined,
    program: { type: 'copy', source: join(node.root, 'srv/drp'), folder: undefined },
    ...changes,
  };
}

/** All changes, or only so many of them: the first, the last, and some between. */
function placesToDie(changes: number, atMost = changes): readonly number[] {
  if (atMost >= changes) return Array.from({ length: changes }, (_, index) => index + 1);
  return Array.from({ length: atMost }, (_, index) => 1 + Math.round((index * (changes - 1)) / (atMost - 1)));
}

/** Kills the installer at the changes that it makes; each time the node has to be committed, or as it was. */
export async function killEverywhere(
  { kind, strategy }: (typeof PLATFORMS)[number],
  when: Death['when'],
  atMost?: number,
): Promise<void> {
  const node = await createFakeNode(kind);
  const before = await node.snapshot();
  const outcomes = new Set<string>();
  const work = (dependencies: SetupDependencies) =>
    install(installOptions(node, { strategy }), TIMING, dependencies, NOBODY_STOPS);
  const changes = await countChanges(node, work);
  await uninstall(TIMING, node.setup());
  for (const at of placesToDie(changes, atMost)) {
    expect(await runUntilDeath(node, { at, when }, work)).toBe(true);
    await node.fireTimer();
    const { verdict } = await nodeStatus('kubelet.service', SOCKET, node.setup());
    outcomes.add(verdict);
    expect(node.timer).toBeUndefined();
    if (verdict === 'in-use') {
      expect(await node.endpoint()).toBe(ENDPOINT);
      await uninstall(TIMING, node.setup());
    }
    expect({ at, files: await node.snapshot() }).toEqual({ at, files: before });
    expect(await node.endpoint()).toBeUndefined();
  }
  expect([...outcomes].sort()).toEqual(['absent', 'in-use']);
}

type Work = (node: FakeNode) => (dependencies: SetupDependencies) => Promise<unknown>;

async function everywhere(
  atMost: number | undefined,
  prepare: (node: FakeNode) => Promise<void>,
  work: Work,
  check: (node: FakeNode, death: Death) => Promise<void>,
  kind: NodeKind = 'eks-al2',
): Promise<void> {
  const whole = await createFakeNode(kind);
  await prepare(whole);
  for (const at of placesToDie(await countChanges(whole, work(whole)), atMost)) {
    const death = { at, when: at % 2 === 0 ? 'half' : 'after' } as const;
    const node = await createFakeNode(kind);
    await prepare(node);
    expect(await runUntilDeath(node, death, work(node))).toBe(true);
    await check(node, death);
  }
}

async function installed(node: FakeNode): Promise<void> {
  await install(installOptions(node), TIMING, node.setup(), NOBODY_STOPS);
}

export async function killUninstall(atMost?: number): Promise<void> {
  const before = await (await createFakeNode('eks-al2')).snapshot();
  await everywhere(
    atMost,
    installed,
    () => (dependencies) => uninstall(TIMING, dependencies),
    async (node, death) => {
      await node.fireTimer();
      // When it had not begun, nothing has happened yet.
      await uninstall(TIMING, node.setup());
      expect({ death, files: await node.snapshot() }).toEqual({ death, files: before });
      expect(await node.endpoint()).toBeUndefined();
    },
  );
}

export async function killUndo(atMost?: number): Promise<void> {
  const before = await (await createFakeNode('eks-al2')).snapshot();
  await everywhere(
    atMost,
    async (node) => {
      node.behaviour = (endpoint) => (endpoint === undefined ? 'well' : 'unwell');
    },
    (node) => (dependencies) =>
      install(installOptions(node), TIMING, dependencies, NOBODY_STOPS).catch(() => undefined),
    async (node, death) => {
      await node.fireTimer();
      expect({ death, files: await node.snapshot() }).toEqual({ death, files: before });
      expect(await node.endpoint()).toBeUndefined();
    },
  );
}

export async function killUpgrade(atMost?: number): Promise<void> {
  const programs = new Set<string>();
  await everywhere(
    atMost,
    async (node) => {
      await installed(node);
      await node.write('/srv/drp', 'another version');
    },
    (node) => (dependencies) => install(installOptions(node), TIMING, dependencies, NOBODY_STOPS),
    async (node) => {
      await node.fireTimer();
      const status = await nodeStatus('kubelet.service', SOCKET, node.setup());
      expect(status).toMatchObject({ verdict: 'in-use', changedFiles: [] });
      const [program = ''] = status.program ?? [];
      programs.add(program);
      const left = Object.keys(await node.snapshot()).filter((path) => path.startsWith('/opt/drp/bin/'));
      expect(left).toEqual([program]);
    },
  );
  expect(programs.size).toBe(2);
}

/** The old version is back, whether the upgrade sees by itself that the new one does not work, or dies on the way. */
export async function killBrokenUpgrade(atMost?: number): Promise<void> {
  let before: unknown;
  await everywhere(
    atMost,
    async (node) => {
      await installed(node);
      const { program } = await nodeStatus('kubelet.service', SOCKET, node.setup());
      node.serviceWorks = (other) => other === program?.[0];
      await node.write('/srv/drp', 'a version that does not work');
      before = await node.snapshot();
    },
    (node) => (dependencies) =>
      install(installOptions(node), TIMING, dependencies, NOBODY_STOPS).catch(() => undefined),
    async (node, death) => {
      await node.fireTimer();
      expect({ death, files: await node.snapshot() }).toEqual({ death, files: before });
      const status = await nodeStatus('kubelet.service', SOCKET, node.setup());
      expect(status).toMatchObject({ verdict: 'in-use', service: { answers: true } });
    },
  );
}

/** Each time kubelet is told in the old way or in the new one, and nothing is left of the other. */
export async function killSwitch(from: Strategy, to: Strategy, atMost?: number): Promise<void> {
  const strategies = new Set<string | undefined>();
  const before = await (await createFakeNode('eks-al2023')).snapshot();
  await everywhere(
    atMost,
    async (node) => {
      await install(installOptions(node, { strategy: from }), TIMING, node.setup(), NOBODY_STOPS);
    },
    (node) => (dependencies) =>
      install(installOptions(node, { strategy: to }), TIMING, dependencies, NOBODY_STOPS),
    async (node, death) => {
      await node.fireTimer();
      const status = await nodeStatus('kubelet.service', SOCKET, node.setup());
      expect({ death, status }).toMatchObject({ death, status: { verdict: 'in-use', changedFiles: [] } });
      strategies.add(status.strategy);
      expect(await node.endpoint()).toBe(ENDPOINT);
      await uninstall(TIMING, node.setup());
      expect({ death, files: await node.snapshot() }).toEqual({ death, files: before });
      expect(await node.endpoint()).toBeUndefined();
    },
    'eks-al2023',
  );
  expect([...strategies].sort()).toEqual([from, to].sort());
}

export async function killBeforeReboot(atMost?: number): Promise<void> {
  const whole = await createFakeNode('gke-cos');
  const before = await whole.snapshot();
  const work: Work = (node) => (dependencies) =>
    install(installOptions(node), TIMING, dependencies, NOBODY_STOPS);
  for (const at of placesToDie(await countChanges(whole, work(whole)), atMost)) {
    const node = await createFakeNode('gke-cos');
    expect(await runUntilDeath(node, { at, when: 'after' }, work(node))).toBe(true);
    node.reboot();
    await node.reload();
    const restarts = node.restarts;
    await rollback({ ...HOST, boot: true }, node.setup());
    expect(node.restarts).toBe(restarts);
    await node.startKubelet();
    if (await node.endpoint()) await uninstall(TIMING, node.setup());
    const committed = (await nodeStatus('kubelet.service', SOCKET, node.setup())).strategy !== undefined;
    if (committed) await uninstall(TIMING, node.setup());
    // One that goes down before the journal is begun keeps a program that nothing uses.
    const files = Object.entries(await node.snapshot()).filter(([path]) => !path.startsWith('/opt'));
    expect({ at, files: Object.fromEntries(files) }).toEqual({ at, files: before });
  }
}
