import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { STATUS } from '../../../../src/kubelet/image-service/errors.ts';
import { ownFolder } from '../../../support/own-folder.ts';
import { createDeferred } from '../deferred.ts';
import { connect } from './backend.ts';
import { APP, DIGEST, type FakeImage, ID, sendError, startFakeEngine } from './fake-engine.ts';

const NAME = 'docker.example.com/team/app:v1';

async function withImages(...images: FakeImage[]) {
  const engine = await startFakeEngine({ images });
  return { engine, ...connect(engine.socket) };
}

describe('ImageStatus', () => {
  it('shows the image, with its user as a number', async () => {
    const { status } = await withImages(APP);
    const { image, info } = await status(NAME);
    expect(image).toMatchObject({
      id: ID,
      repoTags: [NAME],
      repoDigests: [`docker.example.com/team/app@${DIGEST}`],
      size: 1234n,
      uid: { value: 1000n },
      username: '',
      spec: { image: ID },
      pinned: false,
    });
    expect(info).toEqual({});
  });

  it.each([
    ['app:grp', undefined, 'app'],
    ['', undefined, ''],
    [null, undefined, ''],
  ])('of an image with the user %j', async (User, uid, username) => {
    const { status } = await withImages({ ...APP, Config: { User } });
    const { image } = await status(NAME);
    expect(image?.uid?.value).toBe(uid);
    expect(image?.username).toBe(username);
  });

  it('of an image without a configuration, as Engine 29 may show it', async () => {
    const { status } = await withImages({ Id: ID, RepoTags: [NAME], RepoDigests: null, Size: 5 });
    expect((await status(NAME)).image).toMatchObject({ id: ID, repoDigests: [], size: 5n, username: '' });
  });

  it('gives labels and specification when it is to be verbose', async () => {
    const { status } = await withImages(APP);
    const { info } = await status(NAME, true);
    expect(JSON.parse(info.info ?? '')).toMatchObject({
      labels: { team: 'a' },
      imageSpec: {
        architecture: 'amd64',
        os: 'linux',
        config: { User: '1000:1000', Env: ['PATH=/bin'] },
        rootfs: { type: 'layers', diff_ids: [`sha256:${'2'.repeat(64)}`] },
      },
    });
  });

  it('of an image that is not there is no error and no image', async () => {
    const { status } = await withImages(APP);
    expect((await status('docker.example.com/team/other:v1')).image).toBeUndefined();
    expect((await status(`sha256:${'9'.repeat(64)}`)).image).toBeUndefined();
  });

  it('of a name that is the beginning of an id is that of no image', async () => {
    const { status } = await withImages({ ...APP, Id: `sha256:beef${'1'.repeat(60)}` });
    expect((await status('beef')).image).toBeUndefined();
  });

  it.each([ID, ID.slice('sha256:'.length)])('is found by the id %s', async (id) => {
    const { status } = await withImages(APP);
    expect((await status(id)).image?.id).toBe(ID);
  });

  it('never says that an image has no size', async () => {
    const { status, list } = await withImages({ ...APP, Size: 0 });
    expect((await status(NAME)).image?.size).toBe(1n);
    expect((await list()).images[0]?.size).toBe(1n);
  });

  it.each([
    [500, STATUS.UNKNOWN],
    [409, STATUS.FAILED_PRECONDITION],
  ])('fails when Docker Engine does: %i', async (httpStatus, code) => {
    const { engine, status } = await withImages(APP);
    engine.options = {
      intercept: (response, { path }) => {
        if (!path.endsWith('/json')) return false;
        sendError(response, httpStatus, 'layer not known');
        return true;
      },
    };
    await expect(status(NAME)).rejects.toMatchObject({ code, message: 'layer not known' });
  });

  it.each(['', '../../containers/json', 'a b'])('of %j is refused', async (image) => {
    const { status } = await withImages(APP);
    await expect(status(image)).rejects.toMatchObject({ code: STATUS.INVALID_ARGUMENT });
  });
});

describe('ListImages', () => {
  it('gives each image once, with all its names, and none to what has none', async () => {
    const { list } = await withImages(
      { Id: ID, RepoTags: ['a:1'], RepoDigests: null, Size: 1 },
      { Id: ID, RepoTags: ['a:2'], RepoDigests: [`a@${DIGEST}`], Size: 1 },
      {
        Id: `sha256:${'3'.repeat(64)}`,
        RepoTags: ['<none>:<none>'],
        RepoDigests: ['<none>@<none>'],
        Size: 7,
      },
    );
    const { images } = await list();
    expect(
      images.map(({ id, repoTags, repoDigests, size }) => ({ id, repoTags, repoDigests, size })),
    ).toEqual([
      { id: ID, repoTags: ['a:1', 'a:2'], repoDigests: [`a@${DIGEST}`], size: 1n },
      { id: `sha256:${'3'.repeat(64)}`, repoTags: [], repoDigests: [], size: 7n },
    ]);
  });

  it('pins the images of sandboxes, and what the configuration says', async () => {
    const pause = { Id: ID, RepoTags: ['registry.k8s.io/pause:3.10'], Size: 1 };
    const engine = await startFakeEngine({ images: [pause] });
    expect((await connect(engine.socket).list()).images[0]?.pinned).toBe(true);
    const options = { pinnedImages: ['docker.example.com/**'] };
    expect((await connect(engine.socket, { options }).list()).images[0]?.pinned).toBe(false);
    engine.options = { images: [APP] };
    expect((await connect(engine.socket, { options }).list()).images[0]?.pinned).toBe(true);
  });

  it('hands a filter on as Docker Engine wants it', async () => {
    const { engine, list } = await withImages(APP);
    await list('docker.io/library/nginx:1.27');
    expect(engine.seen.at(-1)?.query.get('filters')).toBe('{"reference":["nginx:1.27"]}');
    await list();
    expect(engine.seen.at(-1)?.query.has('filters')).toBe(false);
  });

  it('finds by an id, which is no filter of Docker Engine', async () => {
    const { list } = await withImages(APP);
    expect((await list(ID)).images).toMatchObject([{ id: ID }]);
    expect((await list(`sha256:${'9'.repeat(64)}`)).images).toEqual([]);
  });

  it('is empty where Docker Engine says null', async () => {
    const { engine, list } = await withImages();
    engine.options = {
      intercept: (response, { path }) => {
        if (path !== '/images/json') return false;
        response.end('null');
        return true;
      },
    };
    expect((await list()).images).toEqual([]);
  });
});

describe('RemoveImage', () => {
  it('removes all names of the image, and then the image', async () => {
    const names = ['docker.example.com/team/app:v1', 'other.example.com/app:v2'];
    const { engine, remove } = await withImages({ ...APP, RepoTags: names });
    await remove('other.example.com/app:v2');
    expect(engine.deleted).toEqual([...names, `docker.example.com/team/app@${DIGEST}`, ID]);
  });

  it.each([ID, `docker.example.com/team/app@${DIGEST}`])('finds it by %s', async (image) => {
    const { engine, remove } = await withImages(APP);
    await remove(image);
    expect(engine.deleted.at(-1)).toBe(ID);
  });

  it('of an image that is not there is done already', async () => {
    const { engine, remove } = await withImages(APP);
    await remove('docker.example.com/team/other:v1');
    await remove('1111');
    expect(engine.deleted).toEqual([]);
  });

  it('goes on when a name is gone before its turn', async () => {
    const { engine, remove } = await withImages(APP);
    engine.options = {
      ...engine.options,
      intercept: (response, { method, path }) => {
        if (method !== 'DELETE' || !path.includes('@')) return false;
        sendError(response, 404, 'No such image');
        return true;
      },
    };
    await remove(NAME);
    expect(engine.deleted).toEqual([NAME, ID]);
  });

  it('leaves an image alone that a container uses, with all its names', async () => {
    const { engine, remove } = await withImages(APP);
    const containers = [
      { Id: 'c1', ImageID: `sha256:${'8'.repeat(64)}`, Names: ['/built-on-it'] },
      { Id: 'c2', ImageID: ID, Names: ['/web'] },
    ];
    engine.options = { ...engine.options, info: { containers } };
    await expect(remove(NAME)).rejects.toMatchObject({
      code: STATUS.FAILED_PRECONDITION,
      message: 'the image is in use by the container web',
    });
    expect(engine.deleted).toEqual([]);
  });

  it("is an error when Docker Engine doesn't", async () => {
    const { engine, remove } = await withImages(APP);
    engine.options = {
      ...engine.options,
      intercept: (response, { method }) => {
        if (method === 'DELETE') sendError(response, 409, 'conflict: unable to remove');
        return method === 'DELETE';
      },
    };
    await expect(remove(NAME)).rejects.toMatchObject({ code: STATUS.FAILED_PRECONDITION });
  });
});

describe('Docker Engine', () => {
  it.each([
    ['1.41', '1.12', '1.41'],
    ['1.51', '1.24', '1.44'],
    ['1.52', '1.44', '1.44'],
  ])('with API %s (from %s on) is spoken to in %s', async (apiVersion, minimumApiVersion, expected) => {
    const engine = await startFakeEngine({ apiVersion, minimumApiVersion });
    const { list } = connect(engine.socket);
    await list();
    await list();
    expect(engine.seen.map(({ version, path }) => `${version} ${path}`)).toEqual([
      ' /version',
      `${expected} /images/json`,
      `${expected} /images/json`,
    ]);
  });

  it('is asked again when it has been replaced by one that refuses the version', async () => {
    const engine = await startFakeEngine({ apiVersion: '1.41', minimumApiVersion: '1.12', images: [APP] });
    const { list, status } = connect(engine.socket);
    await list();
    engine.options = { apiVersion: '1.60', minimumApiVersion: '1.50', images: [APP] };
    expect((await status(NAME)).image?.id).toBe(ID);
    engine.options = { apiVersion: '1.41', minimumApiVersion: '1.12', images: [APP] };
    expect((await status(NAME)).image?.id).toBe(ID);
    expect(engine.seen.filter(({ path }) => path === '/version')).toHaveLength(3);
  });

  it('is out of reach: says where it was looked for', async () => {
    const socket = join(await ownFolder(), 'docker.sock');
    const { list } = connect(socket);
    await expect(list()).rejects.toMatchObject({
      code: STATUS.UNAVAILABLE,
      message: `Docker Engine can't be reached at ${socket} (ENOENT): is docker.service running?`,
    });
    const engine = await startFakeEngine({ images: [APP] }, socket);
    expect((await list()).images).toHaveLength(1);
    await engine.close();
    await expect(list()).rejects.toMatchObject({ code: STATUS.UNAVAILABLE });
    await startFakeEngine({ images: [APP] }, socket);
    expect((await list()).images).toHaveLength(1);
  });

  it('that is something else is found out', async () => {
    const engine = await startFakeEngine({
      intercept: (response) => {
        response.end('{"hello": "world"}');
        return true;
      },
    });
    await expect(connect(engine.socket).list()).rejects.toThrow('is not Docker Engine');
  });

  it.each([
    ['that is not JSON', '<html>', /not JSON/],
    ['of another shape', '{"Id": 1}', /answer about images can't be read/],
    ['that is too large', `"${'x'.repeat(17 * 1024 * 1024)}"`, /larger than 16777216 bytes/],
  ])('answers with something %s: an error', async (_case, body, message) => {
    const engine = await startFakeEngine({
      intercept: (response, { path }) => {
        if (path !== '/images/json') return false;
        response.end(body);
        return true;
      },
    });
    const failing = expect(connect(engine.socket).list()).rejects;
    await failing.toMatchObject({ code: STATUS.UNKNOWN, message: expect.stringMatching(message) });
  });

  it('is let go when kubelet gives up, and when the image service ends', async () => {
    const arrived = createDeferred();
    const gone = createDeferred();
    const engine = await startFakeEngine({
      intercept: (response, { path }) => {
        if (path !== '/images/json') return false;
        response.once('close', () => gone.resolve());
        arrived.resolve();
        return true;
      },
    });
    const { list, service } = connect(engine.socket);
    const listing = expect(list()).rejects.toMatchObject({ code: STATUS.UNAVAILABLE });
    await arrived.promise;
    await service.close();
    await listing;
    await gone.promise;
  });

  it('is asked with signals that last no longer than a call', async () => {
    const engine = await startFakeEngine({ images: [APP] });
    const { list } = connect(engine.socket);
    const any = vi.spyOn(AbortSignal, 'any');
    const signalsOf = async () => {
      any.mockClear();
      await list();
      return new Set(any.mock.calls.flatMap(([signals]) => [...signals]));
    };
    const first = await signalsOf();
    const second = await signalsOf();
    any.mockRestore();
    expect([...second].filter((signal) => first.has(signal))).toEqual([]);
    expect(second.size).toBeGreaterThan(0);
  });
});
