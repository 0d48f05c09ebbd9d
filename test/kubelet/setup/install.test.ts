import { describe, expect, it } from 'vitest';
import { install, nodeStatus, uninstall } from '../../../src/kubelet/setup/index.ts';
import { createFakeNode, TIMING } from './fake-node.ts';
import {
  ENDPOINT,
  installOptions,
  killBeforeReboot,
  killBrokenUpgrade,
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
/** At so many changes a run dies here; in test/long at every one. */
const PLACES = 3;

describe.each(PLATFORMS)('on $kind', ({ kind, strategy }) => {
  it('installs, does nothing the second time, and takes everything away again', async () => {
    const node = await createFakeNode(kind);
    const before = await node.snapshot();
    const first = await install(options(node, { strategy }), TIMING, node.setup(), signal);
    expect(first).toMatchObject({ outcome: 'installed', plan: { platform: kind } });
    expect(await node.endpoint()).toBe(ENDPOINT);
    expect(node.timer).toBeUndefined();
    const [installed, restarts] = [await node.snapshot(), node.restarts];

    const second = await install(options(node), TIMING, node.setup(), signal);
    expect(second.outcome).toBe('unchanged');
    expect([await node.snapshot(), node.restarts]).toEqual([installed, restarts]);
    expect(await nodeStatus('kubelet.service', SOCKET, node.setup())).toMatchObject({ verdict: 'in-use' });

    expect(await uninstall(TIMING, node.setup())).toEqual({ outcome: 'undone', notes: [] });
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
    if (platform) await killEverywhere(platform, when, PLACES);
  },
);

describe('a run that dies', () => {
  it('while it uninstalls is brought to its end by the host', () => killUninstall(PLACES));
  it('while it undoes is undone by the next', () => killUndo(PLACES));
  it('while it upgrades leaves the old version or the new one', () => killUpgrade(PLACES));

  it('while it upgrades to a version that does not work leaves the old one', () => killBrokenUpgrade(PLACES));

  it('before a reboot is undone at boot, without a restart of a kubelet that waits for it', () =>
    killBeforeReboot(PLACES));
});

describe('an installation', () => {
  it.each(['unwell', 'flaps'] as const)('is undone when kubelet %s', async (behaviour) => {
    const node = await createFakeNode('eks-al2');
    const before = await node.snapshot();
    node.behaviour = (endpoint) => (endpoint === undefined ? 'well' : behaviour);
    await expect(install(options(node), TIMING, node.setup(), signal)).rejects.toMatchObject({
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
    node.serviceWorks = () => false;
    await expect(install(options(node), TIMING, node.setup(), signal)).rejects.toMatchObject({
      code: 'unhealthy',
    });
    expect([await node.snapshot(), node.restarts]).toEqual([before, restarts]);
  });

  it('is refused before anything of kubelet is touched when the host can not run the program', async () => {
    const node = await createFakeNode('eks-al2');
    const [before, restarts] = [await node.snapshot(), node.restarts];
    node.programRuns = false;
    const steps: string[] = [];
    const setup = node.setup({ progress: ({ name }) => void steps.push(name) });
    await expect(install(options(node), TIMING, setup, signal)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/does not run.*journalctl -u drp-node-try.*the node is as it was$/),
    });
    expect([await node.snapshot(), node.restarts, node.timer]).toEqual([before, restarts, undefined]);
    expect(steps).not.toContain('begin journal');
  });

  it('tries a program a second time, and no more often', async () => {
    const node = await createFakeNode('eks-al2');
    let tries = 0;
    const { systemd } = node.setup();
    const silentUntil = (last: number) => ({
      systemd: { ...systemd, runOnce: async () => ++tries >= last },
    });
    await expect(install(options(node), TIMING, node.setup(silentUntil(3)), signal)).rejects.toThrow(
      'does not run',
    );
    expect(tries).toBe(2);
    tries = 0;
    await install(options(node), TIMING, node.setup(silentUntil(2)), signal);
    expect(tries).toBe(2);
  });

  it('tries a program too that lies there already, of a run of which nothing else is left', async () => {
    const node = await createFakeNode('eks-al2');
    await install(options(node), TIMING, node.setup(), signal);
    const { program: [path = ''] = [] } = await nodeStatus('kubelet.service', SOCKET, node.setup());
    const copy = await node.setup().files.snapshot(path);
    await uninstall(TIMING, node.setup());
    await node.write(path, '');
    await node.setup().files.put(path, copy);
    node.programRuns = false;
    await expect(install(options(node), TIMING, node.setup(), signal)).rejects.toThrow('does not run');
  });

  it('is undone also when a guard decides while its kubelet is stopped', async () => {
    const node = await createFakeNode('eks-al2023');
    const [before, restarts] = [await node.snapshot(), node.restarts];
    node.behaviour = (endpoint) => (endpoint === undefined ? 'well' : 'unwell');
    const setup = node.setup();
    const decision = '/etc/kubernetes/kubelet/config.json.d/90-drp.conf';
    const config = JSON.stringify({ imageServiceEndpoint: ENDPOINT });
    const restart = async (unit: string): Promise<void> => {
      if (node.restarts === restarts + 1) await node.write(decision, config);
      await setup.systemd.restart(unit);
    };
    const systemd = { ...setup.systemd, restart };
    await expect(install(options(node), TIMING, node.setup({ systemd }), signal)).rejects.toMatchObject({
      message: expect.stringContaining('the node is as it was'),
    });
    expect(await node.snapshot()).toEqual(before);
    expect(node.restarts).toBe(restarts + 3);
  });

  it('does not begin while another one is at work', async () => {
    const node = await createFakeNode('eks-al2');
    await runUntilDeath(node, { at: 9, when: 'before' }, (dependencies) =>
      install(options(node), TIMING, dependencies, signal),
    );
    const before = await node.snapshot();
    await expect(install(options(node), TIMING, node.setup(), signal)).rejects.toMatchObject({
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
    await expect(install(options(node), TIMING, node.setup({ progress }), stop.signal)).rejects.toThrow(
      'it was interrupted; the node is as it was',
    );
    expect(await node.snapshot()).toEqual(before);
  });

  it('keeps what somebody else has changed since', async () => {
    const node = await createFakeNode('eks-al2');
    await install(options(node), TIMING, node.setup(), signal);
    const path = '/etc/drp/image-service.yaml';
    await node.write(path, `${await node.read(path)}# mine\n`);
    expect((await install(options(node), TIMING, node.setup(), signal)).outcome).toBe('unchanged');
    const { notes } = await uninstall(TIMING, node.setup());
    expect(notes).toEqual([expect.stringContaining(path)]);
    expect(await node.read(path)).toContain('# mine');
  });
});
