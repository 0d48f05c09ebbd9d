import { join } from 'node:path';
import { expect } from 'vitest';
import {
  DEFAULT_TIMING,
  type InstallOptions,
  install,
  nodeStatus,
  type SetupDependencies,
  uninstall,
} from '../../../src/kubelet/setup/index.ts';
import type { NodeKind } from '../../servers/systemd/index.ts';
import { createFakeNode, type FakeNode } from './fake-node.ts';
import { type Death, runUntilDeath } from './killed.ts';

export const SOCKET = '/run/drp/image-service.sock';
export const ENDPOINT = `unix://${SOCKET}`;
/** As the host undoes what was not finished. */
export const HOST = { timing: DEFAULT_TIMING, boot: false };
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

/** Kills the installer at every change that it makes; each time the node has to be committed, or as it was. */
export async function killEverywhere(
  { kind, strategy }: (typeof PLATFORMS)[number],
  when: Death['when'],
  stride = 1,
): Promise<void> {
  const node = await createFakeNode(kind);
  const before = await node.snapshot();
  const outcomes = new Set<string>();
  for (let at = 1; ; at += stride) {
    const died = await runUntilDeath(node, { at, when }, (dependencies) =>
      install(installOptions(node, { strategy }), DEFAULT_TIMING, dependencies, NOBODY_STOPS),
    );
    if (!died) break;
    await node.fireTimer();
    const { verdict } = await nodeStatus('kubelet.service', SOCKET, node.setup());
    outcomes.add(verdict);
    expect(node.timer).toBeUndefined();
    if (verdict === 'in-use') {
      expect(await node.endpoint()).toBe(ENDPOINT);
      await uninstall(DEFAULT_TIMING, node.setup());
    }
    expect({ at, files: await node.snapshot() }).toEqual({ at, files: before });
    expect(await node.endpoint()).toBeUndefined();
  }
  expect([...outcomes].sort()).toEqual(['absent', 'in-use']);
}

async function everywhere(
  stride: number,
  prepare: (node: FakeNode) => Promise<void>,
  work: (node: FakeNode) => (dependencies: SetupDependencies) => Promise<unknown>,
  check: (node: FakeNode, death: Death) => Promise<void>,
): Promise<void> {
  for (let at = 1; ; at += stride) {
    const death = { at, when: at % 2 === 0 ? 'half' : 'after' } as const;
    const node = await createFakeNode('eks-al2');
    await prepare(node);
    if (!(await runUntilDeath(node, death, work(node)))) break;
    await check(node, death);
  }
}

async function installed(node: FakeNode): Promise<void> {
  await install(installOptions(node), DEFAULT_TIMING, node.setup(), NOBODY_STOPS);
}

export async function killUninstall(stride: number): Promise<void> {
  const before = await (await createFakeNode('eks-al2')).snapshot();
  await everywhere(
    stride,
    installed,
    () => (dependencies) => uninstall(DEFAULT_TIMING, dependencies),
    async (node, death) => {
      await node.fireTimer();
      // When it had not begun, nothing has happened yet.
      await uninstall(DEFAULT_TIMING, node.setup());
      expect({ death, files: await node.snapshot() }).toEqual({ death, files: before });
      expect(await node.endpoint()).toBeUndefined();
    },
  );
}

export async function killUndo(stride: number): Promise<void> {
  const before = await (await createFakeNode('eks-al2')).snapshot();
  await everywhere(
    stride,
    async (node) => {
      node.behaviour = (endpoint) => (endpoint === undefined ? 'well' : 'unwell');
    },
    (node) => (dependencies) =>
      install(installOptions(node), DEFAULT_TIMING, dependencies, NOBODY_STOPS).catch(() => undefined),
    async (node, death) => {
      await node.fireTimer();
      expect({ death, files: await node.snapshot() }).toEqual({ death, files: before });
      expect(await node.endpoint()).toBeUndefined();
    },
  );
}

export async function killUpgrade(stride: number): Promise<void> {
  const programs = new Set<string>();
  await everywhere(
    stride,
    async (node) => {
      await installed(node);
      await node.write('/srv/drp', 'another version');
    },
    (node) => (dependencies) => install(installOptions(node), DEFAULT_TIMING, dependencies, NOBODY_STOPS),
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
