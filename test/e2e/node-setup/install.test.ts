import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeKind } from '../../servers/systemd/index.ts';
import { startNode, type TestNode } from './node.ts';

const ENDPOINT = 'unix:///run/drp/image-service.sock';

const PLATFORMS: readonly { readonly kind: NodeKind; readonly strategy: string; readonly args?: readonly string[] }[] = [
  { kind: 'eks-al2023', strategy: 'config-dir' },
  { kind: 'eks-al2', strategy: 'drop-in' },
  { kind: 'gke-cos', strategy: 'unit', args: ['--strategy', 'unit'] },
  { kind: 'kubeadm', strategy: 'drop-in' },
];

describe.each(PLATFORMS)('$kind by $strategy', ({ kind, strategy, args = [] }) => {
  let node: TestNode;
  let before: Readonly<Record<string, string>>;

  beforeAll(async () => {
    node = await startNode(kind);
    before = node.snapshot();
  });
  afterAll(() => node?.close());

  it('shows its plan and changes nothing', async () => {
    const { code, stdout, stderr } = await node.install('--dry-run', ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`platform   ${kind}`);
    expect(stdout).toContain(`strategy   ${strategy}`);
    expect(stdout).toContain('+ExecStartPre=-');
    expect(node.snapshot()).toEqual(before);
  });

  it('installs', async () => {
    const { code, stdout, stderr } = await node.install(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Installed');
    const status = await node.status();
    expect(status).toMatchObject({ verdict: 'in-use', platform: kind, strategy, changedFiles: [] });
    expect(status.kubelet).toMatchObject({ imageServiceEndpoint: ENDPOINT, healthy: true });
  });

  it('does nothing the second time', async () => {
    const pid = await node.kubeletPid();
    const installed = node.snapshot();
    const { code, stdout } = await node.install(...args);
    expect(code).toBe(0);
    expect(stdout).toContain('Nothing to do');
    expect(await node.kubeletPid()).toBe(pid);
    expect(node.snapshot()).toEqual(installed);
  });
});
