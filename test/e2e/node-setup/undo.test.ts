import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { haltAt, hostUndoes, killAt } from './kill.ts';
import { startNode, type TestNode } from './node.ts';

const BEHAVIOUR = '/etc/kubelet-behaviour';

describe('an installation that goes wrong', () => {
  let node: TestNode;

  beforeAll(async () => {
    node = await startNode('eks-al2');
  });
  afterAll(() => node?.close());

  const cases = [
    { name: 'kubelet comes up unhealthy', behaviour: 'unhealthy', args: ['--healthy-within', '2s'] },
    { name: 'kubelet flaps', behaviour: 'flap', args: ['--healthy-for', '3s'] },
  ];

  it.each(cases)('is undone when $name', async ({ behaviour, args }) => {
    node.write(BEHAVIOUR, behaviour);
    const before = node.snapshot();
    const { code, stderr } = await node.install(...args);
    expect(code).toBe(1);
    expect(stderr).toContain('the node is as it was');
    await node.kubeletIsWell();
    expect(node.snapshot()).toEqual(before);
    expect(await node.status()).toMatchObject({ verdict: 'absent', kubelet: { healthy: true } });
    node.remove(BEHAVIOUR);
  });

  it('does not begin with a kubelet that is not well', async () => {
    const before = node.snapshot();
    await node.run('systemctl', 'stop', 'kubelet.service');
    const { code, stderr } = await node.install();
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('is not well') });
    expect(node.snapshot()).toEqual(before);
    await node.run('systemctl', 'start', 'kubelet.service');
    await node.kubeletIsWell();
  });

  it('is undone by the host when the installer dies, also after kubelet was restarted', async () => {
    const before = node.snapshot();
    await killAt(node, ({ name }) => name === 'check health');
    const { code, stderr } = await node.install();
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('an earlier run on this node did not end'),
    });
    expect(await node.status()).toMatchObject({ verdict: 'unfinished', unfinished: { hostWillUndo: true } });
    await hostUndoes(node);
    await node.kubeletIsWell();
    expect(node.snapshot()).toEqual(before);
  });

  it('is not undone under the hands of an installer that is alive', async () => {
    const before = node.snapshot();
    await haltAt(
      node,
      ({ name }) => name === 'check health',
      async () => {
        for (const command of ['rollback', 'uninstall']) {
          const { code, stderr } = await node.drp('node', command);
          expect({ code, stderr }).toMatchObject({
            code: 1,
            stderr: expect.stringContaining('another run is at work'),
          });
        }
        const { stdout } = await node.run('systemctl', 'status', 'drp-node-lock');
        expect(stdout).toMatch(/Process \d+ changes this node/);
      },
    );
    expect(await node.status()).toMatchObject({ verdict: 'in-use' });
    expect((await node.run('systemctl', 'is-active', 'drp-node-lock')).stdout).toBe('inactive\n');
    expect(await node.uninstall()).toMatchObject({ code: 0 });
    expect(node.snapshot()).toEqual(before);
  });

  it('is undone at boot when the node goes down in the middle', async () => {
    const before = node.snapshot();
    await killAt(node, ({ name }) => name === 'check health');
    await node.reboot();
    await node.kubeletIsWell();
    expect(node.snapshot()).toEqual(before);
    expect(await node.status()).toMatchObject({ verdict: 'absent', kubelet: { healthy: true } });
  });
});
