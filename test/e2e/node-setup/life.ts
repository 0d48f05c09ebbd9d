import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeKind } from '../../servers/systemd/index.ts';
import { startNode, type TestNode } from './node.ts';

const ENDPOINT = 'unix:///run/drp/image-service.sock';

export interface LifeOptions {
  readonly kind: NodeKind;
  /** What has to be chosen. */
  readonly strategy: string;
  readonly args?: readonly string[];
}

/** The life of a node with us: from the first plan to the last file that goes. */
export function describeLife({ kind, strategy, args = [] }: LifeOptions): void {
  describe(`${kind} by ${strategy}`, () => {
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

    it('is part of a boot that systemd can put in order', async () => {
      const { stdout, stderr } = await node.run('systemd-analyze', 'verify', '--man=no', 'multi-user.target');
      expect(`${stdout}${stderr}`).not.toMatch(/ordering cycle|drp-/);
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

    it('takes another version without a restart of kubelet', async () => {
      const pid = await node.kubeletPid();
      node.write('/srv/drp', node.read('/srv/drp').replace('version 1', 'version 2'), 0o755);
      const { code, stderr } = await node.install(...args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(await node.kubeletPid()).toBe(pid);
      const { verdict, program } = await node.status();
      expect(verdict).toBe('in-use');
      expect(node.read(program?.[0] ?? '')).toContain('version 2');
      node.write('/srv/drp', node.read('/srv/drp').replace('version 2', 'version 1'), 0o755);
    });

    it('is in use after a reboot', async () => {
      await node.reboot();
      await node.kubeletIsWell();
      expect(await node.status()).toMatchObject({
        verdict: 'in-use',
        kubelet: { imageServiceEndpoint: ENDPOINT },
      });
    });

    it('boots without the image service when that is broken, and says so', async () => {
      const config = node.read('/etc/drp/image-service.yaml');
      node.write('/etc/drp/image-service.yaml', 'backend: [\n');
      await node.reboot();
      await node.kubeletIsWell();
      const status = await node.status();
      expect(status).toMatchObject({ verdict: 'bypassed', service: { answers: false } });
      expect(status.kubelet.imageServiceEndpoint).toBeUndefined();
      node.write('/etc/drp/image-service.yaml', config, 0o600);
      expect(await node.install(...args)).toMatchObject({ code: 0, stderr: '' });
      expect(await node.status()).toMatchObject({ verdict: 'in-use' });
    });

    it('is uninstalled to the byte', async () => {
      expect(await node.uninstall()).toMatchObject({ code: 0, stderr: '' });
      await node.kubeletIsWell();
      expect(node.snapshot()).toEqual(before);
      expect(await node.status()).toMatchObject({ verdict: 'absent', kubelet: { healthy: true } });
      expect((await node.run('systemctl', 'list-unit-files', 'drp*', '--no-legend')).stdout).toBe('');
      expect((await node.uninstall()).stdout).toContain('Nothing to do');
    });
  });
}
