import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  install,
  nodeStatus,
  rollback,
  type SetupDependencies,
  SetupError,
  type Step,
} from '../../../src/kubelet/setup/index.ts';
import { createFakeNode, type FakeNode, TIMING } from './fake-node.ts';
import { ENDPOINT, HOST, installOptions, NOBODY_STOPS, SOCKET } from './kill-matrix.ts';

const KUBELET_UNIT = '/etc/systemd/system/kubelet.service';
const AGAIN = 'the host tries again every 2 minutes';

type Files = SetupDependencies['files'];

function run(node: FakeNode, setup: SetupDependencies, options: Parameters<typeof installOptions>[1] = {}) {
  return install(installOptions(node, options), TIMING, setup, NOBODY_STOPS);
}

const status = (node: FakeNode) => nodeStatus('kubelet.service', SOCKET, node.setup());

function unwellWithUs(node: FakeNode): void {
  node.behaviour = (endpoint) => (endpoint === undefined ? 'well' : 'unwell');
}

describe('what was there before', () => {
  it.each([
    {
      how: 'does not start',
      error: new SetupError('failed', 'it does not start'),
      outcome: 'but it does not',
    },
    { how: 'can’t be started', error: new Error('the connection broke'), outcome: AGAIN },
  ])('is back for kubelet also when the old version of the service $how', async ({ error, outcome }) => {
    const node = await createFakeNode('eks-al2');
    await run(node, node.setup());
    await node.write('/srv/drp', 'another version');
    const [before, restarts] = [await node.snapshot(), node.restarts];
    const { systemd } = node.setup();
    let starts = 0;
    const start = async (unit: string): Promise<void> => {
      if (unit === 'drp-image-service.service' && ++starts > 1) {
        await systemd.stop(unit);
        throw error;
      }
      await systemd.start(unit);
    };
    node.behaviour = (endpoint) => (endpoint && node.restarts > restarts ? 'unwell' : 'well');
    await expect(
      run(node, node.setup({ systemd: { ...systemd, start } }), { strategy: 'unit' }),
    ).rejects.toThrow(outcome);
    expect(await node.endpoint()).toBeUndefined();
    node.behaviour = () => 'well';
    await node.fireTimer();
    // What the guard decides depends on whether the service answers.
    const all = (entries: Readonly<Record<string, string>>) => ({ ...entries, '/run/drp/kubelet.env': '' });
    expect(all(await node.snapshot())).toEqual(all(before));
    expect(node.timer).toBeUndefined();
  });

  it('is all that is left of an upgrade that died while it wrote its journal', async () => {
    const node = await createFakeNode('eks-al2');
    await run(node, node.setup());
    const before = await node.snapshot();
    await node.write('/var/lib/drp/node/.journal.json.drp-new', 'half');
    expect((await rollback(HOST, node.setup())).outcome).toBe('nothing');
    expect(await node.snapshot()).toEqual(before);
  });

  it('is back when kubelet does not get well all the same, and nobody tries that again', async () => {
    const node = await createFakeNode('eks-al2');
    const [before, restarts] = [await node.snapshot(), node.restarts];
    node.behaviour = () => (node.restarts > restarts ? 'unwell' : 'well');
    await expect(run(node, node.setup())).rejects.toThrow(
      /the node is as it was, but kubelet.service did not become well/,
    );
    expect(await node.snapshot()).toEqual(before);
    expect(node.timer).toBeUndefined();
  });

  it.each(['by a timer', 'after a reboot'])('is put back by the host until that works: %s', async (when) => {
    const node = await createFakeNode('gke-cos');
    const before = await node.snapshot();
    let isBroken = true;
    const plain = node.setup;
    node.setup = (changes = {}) => {
      const { files } = plain();
      const putBack: Files['putBack'] = async (path, entry) => {
        if (isBroken && path === KUBELET_UNIT) throw new Error('EIO');
        await files.putBack(path, entry);
      };
      return plain({ files: { ...files, putBack }, ...changes });
    };
    unwellWithUs(node);
    await expect(run(node, node.setup(), { strategy: 'unit' })).rejects.toThrow(AGAIN);
    if (when === 'after a reboot') {
      node.reboot();
      await node.reload();
      await expect(rollback({ ...HOST, boot: true }, node.setup())).rejects.toThrow(AGAIN);
      await node.startKubelet();
    }
    await node.fireTimer();
    expect(node.timer).toBeDefined();
    expect(await status(node)).toMatchObject({ verdict: 'unfinished', unfinished: { hostWillUndo: true } });
    isBroken = false;
    await node.fireTimer();
    expect(await node.snapshot()).toEqual(before);
    expect(await node.endpoint()).toBeUndefined();
    expect(node.timer).toBeUndefined();
  });
});

describe('on a disk that is full', () => {
  const full = async (): Promise<never> => {
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  };
  /** From the moment on when a step begins. */
  function fullFrom(node: FakeNode, step: Step['name']): SetupDependencies {
    let isFull = false;
    const { files } = node.setup();
    return node.setup({
      files: {
        ...files,
        put: (path, entry) => (isFull && entry.type === 'file' ? full() : files.put(path, entry)),
        create: (path, content) => (isFull ? full() : files.create(path, content)),
      },
      progress({ name }) {
        isFull ||= name === step;
      },
    });
  }

  it('an installation is undone, by renaming what was kept', async () => {
    const node = await createFakeNode('gke-cos');
    const before = await node.snapshot();
    const { ino } = await stat(join(node.root, KUBELET_UNIT));
    unwellWithUs(node);
    await expect(run(node, fullFrom(node, 'check health'), { strategy: 'unit' })).rejects.toThrow(
      'the node is as it was',
    );
    expect(await node.snapshot()).toEqual(before);
    expect((await stat(join(node.root, KUBELET_UNIT))).ino).toBe(ino);
    expect(await node.endpoint()).toBeUndefined();
  });

  it('an upgrade is undone, and the old version answers again', async () => {
    const node = await createFakeNode('gke-cos');
    await run(node, node.setup(), { strategy: 'unit' });
    await node.write('/srv/drp', 'another version');
    const before = await node.snapshot();
    const { program } = await status(node);
    node.serviceWorks = (other) => other === program?.[0];
    await expect(run(node, fullFrom(node, 'start service'))).rejects.toThrow('the node is as it was');
    expect(await node.snapshot()).toEqual(before);
    expect(await status(node)).toMatchObject({ verdict: 'in-use' });
  });

  it('an installation is committed that can’t be written down, and the host does that later', async () => {
    const node = await createFakeNode('eks-al2');
    const setup = node.setup();
    const put: Files['put'] = (path, entry) =>
      path.endsWith('/installed.json') ? full() : setup.files.put(path, entry);
    await expect(run(node, node.setup({ files: { ...setup.files, put } }))).rejects.toThrow(
      /^kubelet uses the image service and is well, but .* drp node rollback: ENOSPC$/,
    );
    expect(await node.endpoint()).toBe(ENDPOINT);
    expect(node.timer).toBeDefined();
    const again = rollback({ timing: TIMING, boot: false }, node.setup({ files: { ...setup.files, put } }));
    await expect(again).rejects.toThrow(/^the last run has done what .* can't be written down: ENOSPC$/);
    await node.fireTimer();
    expect(await status(node)).toMatchObject({ verdict: 'in-use', unfinished: undefined });
    expect(node.timer).toBeUndefined();
  });
});
