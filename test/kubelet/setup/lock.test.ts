import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { install, rollback, type Step, uninstall } from '../../../src/kubelet/setup/index.ts';
import { withLock } from '../../../src/kubelet/setup/lock.ts';
import type { HostService } from '../../../src/kubelet/setup/systemd/index.ts';
import { createFakeNode, type FakeNode, TIMING } from './fake-node.ts';
import { ENDPOINT, HOST, installOptions, NOBODY_STOPS } from './kill-matrix.ts';
import { runUntilDeath } from './killed.ts';

const BUSY = { code: 'busy', message: expect.stringContaining('another run is at work') };

const runs = {
  install: (node: FakeNode, setup = node.setup()) =>
    install(installOptions(node), TIMING, setup, NOBODY_STOPS),
  uninstall: (node: FakeNode, setup = node.setup()) => uninstall(TIMING, setup),
  rollback: (node: FakeNode, setup = node.setup()) => rollback(HOST, setup),
};

it('keeps others away from a node at each step of a run', async () => {
  const node = await createFakeNode('eks-al2');
  const before = await node.snapshot();
  const seen = new Set<string>();
  const progress = async ({ name }: Step): Promise<void> => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const run of Object.values(runs)) await expect(run(node)).rejects.toMatchObject(BUSY);
  };
  expect((await runs.install(node, node.setup({ progress }))).outcome).toBe('installed');
  expect(await node.endpoint()).toBe(ENDPOINT);
  expect(seen.size).toBeGreaterThan(8);
  seen.clear();
  expect((await runs.uninstall(node, node.setup({ progress }))).outcome).toBe('undone');
  expect(await node.snapshot()).toEqual(before);
});

describe('a lock', () => {
  it.each([
    ['change file', '/etc/systemd/system/kubelet.service.d/90-drp.conf'],
    ['restart kubelet', 'kubelet.service'],
    ['commit', undefined],
  ])('that is lost lets no installer go on that was undone: %s %s', async (name, subject) => {
    const node = await createFakeNode('eks-al2');
    const before = await node.snapshot();
    const progress = async (step: Step): Promise<void> => {
      if (step.name !== name || step.subject !== (subject ?? step.subject)) return;
      node.releaseLock();
      await runs.rollback(node);
    };
    await expect(runs.install(node, node.setup({ progress }))).rejects.toThrow(
      'another run has undone it meanwhile; the node is as it was',
    );
    expect(await node.snapshot()).toEqual(before);
    expect(await node.endpoint()).toBeUndefined();
  });

  it('goes with a run that dies: what that has left without a journal goes by hand, too', async () => {
    const node = await createFakeNode('eks-al2');
    const before = await node.snapshot();
    let isCopied = false;
    for (let at = 1; !isCopied; at++) {
      await runUntilDeath(node, { at, when: 'after' }, (setup) => runs.install(node, setup));
      isCopied = Object.keys(await node.snapshot()).some((path) => path.startsWith('/opt/drp/bin/'));
      expect(node.timer !== undefined || at === 1).toBe(true);
      expect((await runs.rollback(node)).outcome).toBe('nothing');
      expect(await node.snapshot()).toEqual(before);
      expect(node.timer).toBeUndefined();
    }
  });

  it('ends with the process that holds it', async () => {
    const holder = spawn('cat');
    onTestFinished(() => void holder.kill());
    const stat = await readFile(`/proc/${holder.pid}/stat`, 'utf8');
    const watch = async (text: string) => {
      const node = await createFakeNode('eks-al2');
      await node.write('/proc/self/stat', text);
      const { systemd } = node.setup();
      let lock: HostService | undefined;
      const startService = async (service: HostService): Promise<void> => {
        lock = service;
      };
      await withLock(node.setup({ systemd: { ...systemd, startService } }), async () => undefined);
      expect(lock?.description).toContain(`Process ${holder.pid} `);
      expect(lock?.command.join(' ')).not.toMatch(/[$%\\]/);
      const [program = '', ...args] = lock?.command ?? [];
      return spawn(program, args, { stdio: 'ignore' });
    };
    const [, startTime = ''] = /\) (?:\S+ ){19}(\d+) /.exec(stat) ?? [];
    // Another process with the number of one that was there before.
    const other = await watch(stat.replace(` ${startTime} `, ` ${startTime}1 `));
    expect(await once(other, 'exit')).toEqual([0, null]);

    const watcher = await watch(stat);
    let hasEnded = false;
    watcher.once('exit', () => {
      hasEnded = true;
    });
    await once(watcher, 'spawn');
    expect(hasEnded).toBe(false);
    holder.stdin.end();
    expect(await once(watcher, 'exit')).toEqual([0, null]);
  });
});
