import { describe, expect, it } from 'vitest';
import { STATUS } from '../../../../src/kubelet/image-service/errors.ts';
import { ownFolder } from '../../../support/own-folder.ts';
import { createHeldClock } from '../held-clock.ts';
import { connect } from './backend.ts';
import { APP, startFakeEngine } from './fake-engine.ts';

describe('ImageFsInfo', () => {
  async function withFolder(info: Record<string, unknown> = {}, options: Record<string, unknown> = {}) {
    const clock = createHeldClock(1_700_000_000_000);
    const hostRoot = await ownFolder();
    const engine = await startFakeEngine({
      images: [APP],
      info: { DockerRootDir: '/', ...info },
    });
    return {
      engine,
      clock,
      hostRoot,
      ...connect(engine.socket, { clock, options: { hostRoot, ...options } }),
    };
  }

  it('names the folder as the node sees it, and what images take there', async () => {
    const { filesystem } = await withFolder();
    const { imageFilesystems } = await filesystem();
    expect(imageFilesystems).toMatchObject([
      {
        timestamp: 1_700_000_000_000_000_000n,
        fsId: { mountpoint: '/' },
        usedBytes: { value: 1234n },
        inodesUsed: { value: expect.any(BigInt) },
      },
    ]);
  });

  it('never says more than is taken in that filesystem', async () => {
    const { engine, filesystem } = await withFolder();
    engine.options = { ...engine.options, images: [{ ...APP, Size: Number.MAX_SAFE_INTEGER }] };
    const { imageFilesystems } = await filesystem();
    expect(imageFilesystems[0]?.usedBytes?.value).toBeLessThan(BigInt(Number.MAX_SAFE_INTEGER));
    expect(imageFilesystems[0]?.usedBytes?.value).toBeGreaterThan(0n);
  });

  it('is asked for once in 30 s, however many want to know', async () => {
    const { engine, clock, filesystem } = await withFolder();
    const asked = () => engine.seen.filter(({ path }) => path === '/info').length;
    await Promise.all(Array.from({ length: 5 }, filesystem));
    clock.advance(29_999);
    await filesystem();
    expect(asked()).toBe(1);
    clock.advance(1);
    await filesystem();
    expect(asked()).toBe(2);
  });

  it('does not hide for longer that Docker Engine is away', async () => {
    const { engine, clock, filesystem } = await withFolder();
    const before = await filesystem();
    await engine.close();
    clock.advance(29_999);
    expect(await filesystem()).toEqual(before);
    clock.advance(1);
    await expect(filesystem()).rejects.toMatchObject({ code: STATUS.UNAVAILABLE });
  });

  it('is unavailable too while Docker Engine answers with errors, so that the last good one is given', async () => {
    const { engine, filesystem } = await withFolder();
    engine.options = {
      intercept: async (response, { path }) => {
        if (path !== '/info') return false;
        response.writeHead(500).end('{"message":"starting"}');
        return true;
      },
    };
    await expect(filesystem()).rejects.toMatchObject({ code: STATUS.UNAVAILABLE, message: 'starting' });
  });

  it('says what to do when the folder is not there', async () => {
    const { filesystem } = await withFolder({ DockerRootDir: '/var/lib/docker' });
    await expect(filesystem()).rejects.toMatchObject({
      code: STATUS.FAILED_PRECONDITION,
      message: expect.stringContaining('backend.hostRoot'),
    });
  });

  it.each([
    ["the system's containerd", '/run/containerd/containerd.sock', '/var/lib/containerd'],
    ['a containerd of its own', '/var/run/docker/containerd/containerd.sock', '/var/lib/docker'],
  ])('finds images that are in %s', async (_case, Address, expected) => {
    const { filesystem } = await withFolder({
      DockerRootDir: '/var/lib/docker',
      DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']],
      Containerd: { Address },
    });
    await expect(filesystem()).rejects.toThrow(new RegExp(`${expected}, where the images are`));
  });

  it('looks where the configuration says', async () => {
    const { filesystem, engine } = await withFolder({}, { hostRoot: '/', imageDirectory: '/tmp' });
    expect((await filesystem()).imageFilesystems[0]?.fsId?.mountpoint).toBe('/tmp');
    expect(engine.seen.some(({ path }) => path === '/info')).toBe(false);
  });
});
