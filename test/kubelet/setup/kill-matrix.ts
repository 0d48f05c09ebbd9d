import { join } from 'node:path';
import { expect } from 'vitest';
import {
  DEFAULT_TIMING,
  type InstallOptions,
  install,
  nodeStatus,
  rollback,
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
): Promise<void> {
  const node = await createFakeNode(kind);
  const before = await node.snapshot();
  const outcomes = new Set<string>();
  for (let at = 1; ; at++) {
    const died = await runUntilDeath(node, { at, when }, (dependencies) =>
      install(installOptions(node, { strategy }), DEFAULT_TIMING, dependencies, NOBODY_STOPS),
    );
    if (!died) break;
    await rollback(HOST, node.setup());
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
