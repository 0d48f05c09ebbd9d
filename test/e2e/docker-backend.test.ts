import { beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/index.ts';
import { authConfig } from '../../src/kubelet/image-service/auth-config.ts';
import { createDockerBackend } from '../../src/kubelet/image-service/docker/docker-backend.ts';
import { dockerBackendOptions } from '../../src/kubelet/image-service/docker/index.ts';
import { STATUS } from '../../src/kubelet/image-service/errors.ts';
import { type Caller, createCaller } from '../kubelet/image-service/docker/backend.ts';
import { type Dockerd, startDockerd } from '../servers/index.ts';
import { type PushedImage, pushImage } from '../support/images.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { waitFor } from '../support/wait.ts';
import { createDockerClient, type DockerClient } from './clients.ts';
import { expectSuccess } from './expectations.ts';
import { ALICE, SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';
import { startStallingRegistry } from './stalling-registry.ts';

describe('the docker backend, with a real Docker Engine and the proxy as its registry', () => {
  const keep = useResources();
  const auth = authConfig(ALICE);
  const images = {} as Record<'app' | 'other' | 'index' | 'numeric' | 'named', PushedImage>;
  let proxy: RunningProxy;
  let engine: Dockerd;
  let docker: DockerClient;
  let caller: Caller;
  const name = (image: string) => `${proxy.host}/team/${image}`;

  beforeAll(async () => {
    const registry = keep(await startPrivateRegistry());
    const push = (image: string, more = {}) => pushImage(registry, `acme/team/${image}`, 'v1', more);
    images.app = await push('app', { layers: 3 });
    images.other = await push('other');
    images.index = await push('index', { platforms: ['linux/amd64', 'linux/arm64'] });
    images.numeric = await push('numeric', { config: { User: '1000:1000', Labels: { team: 'a' } } });
    images.named = await push('named', { config: { User: 'app:grp' } });
    proxy = keep(await startProxy(siteConfiguration(registry), { files: SITE_FILES }));
    engine = keep(await startDockerd());
    docker = keep(await createDockerClient(engine));
    const options = dockerBackendOptions.parse({ type: 'docker', socket: engine.socket });
    const service = keep(createDockerBackend(options, { clock: systemClock }));
    caller = createCaller(service);
  });

  it('pulls, and gives the id, size and names that ImageStatus and ListImages give', async () => {
    const image = name('app:v1');
    expect((await caller.status(image)).image).toBeUndefined();
    const id = await caller.pull(image, auth);
    const { image: status } = await caller.status(image);
    const expected = {
      id,
      repoTags: [image],
      repoDigests: [`${name('app')}@${images.app.digest}`],
      size: 3n * 64n * 1024n,
    };
    expect(status).toMatchObject({ ...expected, username: '' });
    expect(status?.uid).toBeUndefined();
    expect((await caller.list()).images).toContainEqual(expect.objectContaining(expected));
    expect((await caller.status(id)).image?.id).toBe(id);
    expect((await caller.status(`${name('app')}@${images.app.digest}`)).image?.id).toBe(id);
    expect((await caller.status(id.slice('sha256:'.length, 20))).image).toBeUndefined();
    expect(images.app.manifests[0]?.config).toBe(id);
  });

  it('pulls by digest, and its platform of an index', async () => {
    const byDigest = `${name('other')}@${images.other.digest}`;
    const id = await caller.pull(byDigest, auth);
    expect((await caller.status(byDigest)).image).toMatchObject({ id, repoDigests: [byDigest] });
    expect(await caller.pull(`${name('other:v1')}@${images.other.digest}`, auth)).toBe(id);
    const ofIndex = `${name('index')}@${images.index.digest}`;
    expect(images.index.manifests.map(({ config }) => config)).toContain(await caller.pull(ofIndex, auth));
  });

  it('shows the user of an image, for pods with runAsNonRoot, and more when it is to be verbose', async () => {
    await caller.pull(name('numeric:v1'), auth);
    await caller.pull(name('named:v1'), auth);
    const { image, info } = await caller.status(name('numeric:v1'), true);
    expect(image).toMatchObject({ uid: { value: 1000n }, username: '' });
    expect(JSON.parse(info.info ?? '')).toMatchObject({
      labels: { team: 'a' },
      imageSpec: { os: 'linux', config: { User: '1000:1000' }, rootfs: { type: 'layers' } },
    });
    const { image: named } = await caller.status(name('named:v1'));
    expect(named?.username).toBe('app');
    expect(named?.uid).toBeUndefined();
  });

  it('lists by a reference, as Docker Engine shows it', async () => {
    await caller.pull(name('numeric:v1'), auth);
    const tags = async (filter: string) =>
      (await caller.list(filter)).images.flatMap(({ repoTags }) => repoTags);
    expect(await tags(name('numeric:v1'))).toEqual([name('numeric:v1')]);
    expect(await tags(name('numeric'))).toEqual([name('numeric:v1')]);
    expect(await tags(name('none'))).toEqual([]);
  });

  it.each([
    ['no credential', undefined, /no basic auth credentials|unauthorized|denied/],
    ['a wrong password', { ...ALICE, password: 'wrong' }, /unauthorized/],
    ['a login that may not', ALICE, /denied|not found/, 'secret/plans:v1'],
    ['a tag that does not exist', ALICE, /not found|manifest unknown/, 'team/app:v9'],
  ])('fails with %s in words that kubelet shows', async (_case, login, message, image = 'team/app:v1') => {
    const shown = login && authConfig(login);
    await expect(caller.pull(`${proxy.host}/${image}`, shown)).rejects.toMatchObject({
      code: STATUS.UNKNOWN,
      message: expect.stringMatching(message),
    });
  });

  it.each(['tag', 'digest', 'id'])('removes an image by its %s, with all its names', async (by) => {
    const id = await caller.pull(name('numeric:v1'), auth);
    expectSuccess(await docker.run('tag', name('numeric:v1'), 'local/copy:v2'));
    const names = { tag: 'local/copy:v2', digest: `${name('numeric')}@${images.numeric.digest}`, id };
    await caller.remove(names[by as keyof typeof names]);
    expect((await caller.list()).images.map((image) => image.id)).not.toContain(id);
    await caller.remove(names[by as keyof typeof names]);
  });

  it('does not remove an image that a container uses, nor any of its names', async () => {
    const image = name('named:v1');
    const id = await caller.pull(image, auth);
    expectSuccess(await docker.run('tag', image, 'local/used:v1'));
    expectSuccess(await docker.run('create', '--name', 'user', image, '/nothing'));
    await expect(caller.remove(image)).rejects.toMatchObject({
      code: STATUS.FAILED_PRECONDITION,
      message: 'the image is in use by the container user',
    });
    expect([...((await caller.status(id)).image?.repoTags ?? [])].sort()).toEqual(
      [image, 'local/used:v1'].sort(),
    );
    expectSuccess(await docker.run('rm', 'user'));
    await caller.remove(image);
    expect((await caller.status(id)).image).toBeUndefined();
  });

  it('knows the filesystem of the images', async () => {
    const { imageFilesystems } = await caller.filesystem();
    expect(imageFilesystems).toHaveLength(1);
    const [filesystem] = imageFilesystems;
    expect(filesystem?.fsId?.mountpoint).toMatch(/\/data$/);
    expect(filesystem?.usedBytes?.value).toBeGreaterThan(0n);
    expect(filesystem?.inodesUsed).toBeDefined();
    expect(Math.abs(Number(filesystem?.timestamp ?? 0n) / 1e6 - Date.now())).toBeLessThan(60_000);
  });

  describe('with a registry that hangs in the middle of a layer', () => {
    it('a pull that kubelet gives up ends at Docker Engine too', async () => {
      const { image, layerRequest } = keep(await startStallingRegistry());
      const controller = new AbortController();
      const pulling = caller.pull(image, undefined, controller.signal);
      pulling.catch(() => undefined);
      await layerRequest;
      controller.abort(new Error('deadline exceeded'));
      await expect(pulling).rejects.toThrow('deadline exceeded');
      await waitFor(
        'Docker Engine to end the pull',
        () => /context canceled/.test(engine.logs()) || undefined,
      );
    });

    it('a Docker Engine that dies in mid-pull is an error at once, and then it pulls again', async () => {
      const { image, layerRequest } = keep(await startStallingRegistry());
      const pulling = caller.pull(image);
      pulling.catch(() => undefined);
      await layerRequest;
      await engine.kill();
      await expect(pulling).rejects.toMatchObject({
        code: STATUS.UNAVAILABLE,
        message: expect.stringContaining("Docker Engine can't be reached"),
      });
      await expect(caller.list()).rejects.toMatchObject({ code: STATUS.UNAVAILABLE });
      // Within 30 s of the last answer, and after them, it's the last one.
      expect((await caller.filesystem()).imageFilesystems).toHaveLength(1);
      await engine.restart();
      expect((await caller.list()).images.length).toBeGreaterThan(0);
      await caller.remove(name('app:v1'));
      expect(await caller.pull(name('app:v1'), auth)).toBe(images.app.manifests[0]?.config);
    });
  });
});
