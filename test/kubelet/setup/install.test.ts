import { describe, expect, it } from 'vitest';
import {
  DEFAULT_TIMING,
  install,
  nodeStatus,
  rollback,
  uninstall,
} from '../../../src/kubelet/setup/index.ts';
import { createFakeNode } from './fake-node.ts';
import {
  ENDPOINT,
  HOST,
  installOptions,
  killEverywhere,
  killUndo,
  killUninstall,
  killUpgrade,
  NOBODY_STOPS,
  PLATFORMS,
  SOCKET,
} from './kill-matrix.ts';
import { runUntilDeath } from './killed.ts';

const signal = NOBODY_STOPS;
const options = installOptions;
/** Many runs in one test; on a busy machine they take their time. */
const LONG_MS = 120_000;
/** Only each so many changes; test/long has every one. */
const STRIDE = 5;

describe.each(PLATFORMS)('on $kind', ({ kind, strategy }) => {
  it('installs, does nothing the second time, and takes everything away again', async () => {
    const node = await createFakeNode(kind);
    const before = await node.snapshot();
    const first = await install(options(node, { strategy }), DEFAULT_TIMING, node.setup(), signal);
    expect(first).toMatchObject({ outcome: 'installed', plan: { platform: kind } });
    expect(await node.endpoint()).toBe(ENDPOINT);
    expect(node.timer).toBeUndefined();
    const [installed, restarts] = [await node.snapshot(), node.restarts];

    const second = await install(options(node), DEFAULT_TIMING, node.setup(), signal);
    expect(second.outcome).toBe('unchanged');
    expect([await node.snapshot(), node.restarts]).toEqual([installed, restarts]);
    expect(await nodeStatus('kubelet.service', SOCKET, node.setup())).toMatchObject({ verdict: 'in-use' });

    expect(await uninstall(DEFAULT_TIMING, node.setup())).toEqual({ outcome: 'undone', notes: [] });
    expect(await node.snapshot()).toEqual(before);
    expect(await node.endpoint()).toBeUndefined();
  });
});

// test/long has all platforms and all ways to die.
const [BY_FOLDER, , , BY_UNIT] = PLATFORMS;
it.each([
  { platform: BY_FOLDER, when: 'after' as const },
  { platform: BY_UNIT, when: 'half' as const },
])(
  'a killed installer leaves a node that is committed or as it was, to the byte: $when a change',
  async ({ platform, when }) => {
    expect(platform).toBeDefined();
    if (platform) await killEverywhere(platform, when, 2);
  },
  LONG_MS,
);

describe('a run that dies', () => {
  it('while it uninstalls is brought to its end by the host', () => killUninstall(STRIDE), LONG_MS);
  it('while it undoes is undone by the next', () => killUndo(STRIDE), LONG_MS);
  it('while it upgrades leaves the old version or the new one', () => killUpgrade(STRIDE), LONG_MS);

  it(
    'before a reboot is undone at boot, without a restart of a kubelet that waits for it',
    async () => {
      const plain = await createFakeNode('gke-cos');
      const before = await plain.snapshot();
      for (let at = 1; ; at++) {
        const node = await createFakeNode('gke-cos');
        const died = await runUntilDeath(node, { at, when: 'after' }, (dependencies) =>
          install(options(node), DEFAULT_TIMING, dependencies, signal),
        );
        if (!died) break;
        node.reboot();
        await node.reload();
        const restarts = node.restarts;
        await rollback({ ...HOST, boot: true }, node.setup());
        expect(node.restarts).toBe(restarts);
        await node.startKubelet();
        if (await node.endpoint()) await uninstall(DEFAULT_TIMING, node.setup());
        const committed = (await nodeStatus('kubelet.service', SOCKET, node.setup())).strategy !== undefined;
        if (committed) await uninstall(DEFAULT_TIMING, node.setup());
        // One that goes down before the journal is begun keeps a program that nothing uses.
        const files = Object.entries(await node.snapshot()).filter(([path]) => !path.startsWith('/opt'));
        expect({ at, files: Object.fromEntries(files) }).toEqual({ at, files: before });
      }
    },
    LONG_MS,
  );
});

describe('an installation', () => {
  it.each(['unwell', 'flaps'] as const)('is undone when kubelet %s', async (behaviour) => {
    const node = await createFakeNode('eks-al2');
    const before = await node.snapshot();
    node.behaviour = (endpoint) => (endpoint === undefined ? 'well' : behaviour);
    await expect(install(options(node), DEFAULT_TIMING, node.setup(), signal)).rejects.toMatchObject({
      code: 'unhealthy',
      message: expect.stringContaining('the node is as it was'),
    });
    expect(await node.snapshot()).toEqual(before);
    expect(await node.endpoint()).toBeUndefined();
    expect(node.timer).toBeUndefined();
  });

  it('is undone before kubelet is touched when the service does not answer', async () => {
    const node = await createFakeNode('eks-al2');
    const [before, restarts] = [await node.snapshot(), node.restarts];
    node.serviceWorks = false;
    await expect(install(options(node), DEFAULT_TIMING, node.setup(), signal)).rejects.toMatchObject({
      code: 'unhealthy',
    });
    expect([await node.snapshot(), node.restarts]).toEqual([before, restarts]);
  });

  it('does not begin while another one is at work', async () => {
    const node = await createFakeNode('eks-al2');
    await runUntilDeath(node, { at: 9, when: 'before' }, (dependencies) =>
      install(options(node), DEFAULT_TIMING, dependencies, signal),
    );
    const before = await node.snapshot();
    await expect(install(options(node), DEFAULT_TIMING, node.setup(), signal)).rejects.toMatchObject({
      code: 'busy',
    });
    expect(await node.snapshot()).toEqual(before);
  });

  it('is undone when it is interrupted', async () => {
    const node = await createFakeNode('eks-al2');
    const before = await node.snapshot();
    const stop = new AbortController();
    const progress = ({ name }: { name: string }): void => {
      if (name === 'compare answers') stop.abort(new Error('it was interrupted'));
    };
    await expect(
      install(options(node), DEFAULT_TIMING, node.setup({ progress }), stop.signal),
    ).rejects.toThrow('it was interrupted; the node is as it was');
    expect(await node.snapshot()).toEqual(before);
  });

  it('gives way when the host has undone it already', async () => {
    const node = await createFakeNode('eks-al2');
    const before = await node.snapshot();
    const progress = async ({ name }: { name: string }): Promise<void> => {
      if (name === 'commit') await rollback(HOST, node.setup());
    };
    await expect(install(options(node), DEFAULT_TIMING, node.setup({ progress }), signal)).rejects.toThrow();
    expect(await node.snapshot()).toEqual(before);
    expect(await node.endpoint()).toBeUndefined();
  });

  it('keeps what somebody else has changed since', async () => {
    const node = await createFakeNode('eks-al2');
    await install(options(node), DEFAULT_TIMING, node.setup(), signal);
    const path = '/etc/drp/image-service.yaml';
    await node.write(path, `${await node.read(path)}# mine\n`);
    expect((await install(options(node), DEFAULT_TIMING, node.setup(), signal)).outcome).toBe('unchanged');
    const { notes } = await uninstall(DEFAULT_TIMING, node.setup());
    expect(notes).toEqual([expect.stringContaining(path)]);
    expect(await node.read(path)).toContain('# mine');
  });
});
