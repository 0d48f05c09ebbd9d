import { execFile } from 'node:child_process';
import {
  cp,
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLayoutWriter, named } from '../../../../src/cli/demo/layout-writer.ts';
import { type Digest, digestOf, mediaTypes, parseRange } from '../../../../src/oci/index.ts';
import type { Upstream } from '../../../../src/proxy/upstream/index.ts';
import { contentPath } from '../../../../src/proxy/upstream/layout/content-file.ts';
import { ownFolder } from '../../../support/own-folder.ts';
import {
  addImage,
  NO_QUERY,
  openLayout,
  readAll,
  reference,
  repository,
  SIGNAL,
  writeImage,
} from './sample.ts';

const APP = repository('team/app');
const options = { signal: SIGNAL, accept: [] };
const LARGE = Buffer.alloc(5_000_001, 'a layer that is longer than any buffer');

async function openBlob(upstream: Upstream, digest: Digest, range?: string, signal = SIGNAL) {
  const parsed = range === undefined ? undefined : parseRange(range);
  const answer = await upstream.blob(APP, digest, {
    signal,
    delivery: 'stream',
    ...(parsed && { range: parsed }),
  });
  if (answer.type !== 'content') throw new Error('expected content');
  return answer;
}

/** Files of the folder that this process has open. */
async function openFiles(folder: string): Promise<string[]> {
  const names = await readdir('/proc/self/fd');
  const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(folder));
}

describe('ranges', () => {
  test('any range gives just those bytes', async () => {
    const folder = await ownFolder();
    const { layer } = await writeImage(folder, LARGE);
    const { upstream } = openLayout(folder);
    const position = fc.oneof(fc.nat(LARGE.length - 1), fc.constantFrom(0, 65_535, 65_536, LARGE.length - 1));
    await fc.assert(
      fc.asyncProperty(position, fc.option(fc.nat(3_000_000)), async (start, length) => {
        const end = length === null ? undefined : start + length;
        const answer = await openBlob(upstream, layer.digest, `bytes=${start}-${end ?? ''}`);
        const last = Math.min(end ?? Infinity, LARGE.length - 1);
        expect(answer.part).toEqual({ start, end: last });
        expect(answer.sizeBytes).toBe(LARGE.length);
        expect((await readAll(answer.body)).equals(LARGE.subarray(start, last + 1))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('one that starts behind the end is refused', async () => {
    const folder = await ownFolder();
    const { layer } = await writeImage(folder, Buffer.from('12345'));
    const { upstream } = openLayout(folder);
    await expect(openBlob(upstream, layer.digest, 'bytes=5-')).rejects.toMatchObject({ kind: 'range' });
  });

  test('an empty blob is content too', async () => {
    const folder = await ownFolder();
    const { layer } = await writeImage(folder, Buffer.alloc(0));
    const { upstream } = openLayout(folder);
    expect(await readAll((await openBlob(upstream, layer.digest)).body)).toEqual(Buffer.alloc(0));
    await expect(openBlob(upstream, layer.digest, 'bytes=0-')).rejects.toMatchObject({ kind: 'range' });
  });
});

describe('damaged files', () => {
  test('a flipped bit in a blob ends the body before its last byte', async () => {
    const folder = await ownFolder();
    const { layer } = await writeImage(folder, LARGE);
    const wrong = Buffer.from(LARGE);
    wrong[2_000_000] = 0;
    await writeFile(contentPath(folder, layer.digest), wrong);
    const { upstream } = openLayout(folder);
    const { body } = await openBlob(upstream, layer.digest);
    let received = 0;
    const reading = (async () => {
      for await (const chunk of body) received += chunk.length;
    })();
    await expect(reading).rejects.toMatchObject({ name: 'UpstreamError', kind: 'faulty' });
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThan(LARGE.length);
  });

  test('a blob or manifest of another size is faulty before its first byte', async () => {
    const folder = await ownFolder();
    const { layer, manifest } = await writeImage(folder, LARGE);
    const { upstream } = openLayout(folder);
    await upstream.tags(APP, { signal: SIGNAL, query: NO_QUERY });
    await truncate(contentPath(folder, layer.digest), 1000);
    await truncate(contentPath(folder, manifest.digest), 10);
    await expect(openBlob(upstream, layer.digest)).rejects.toMatchObject({ kind: 'faulty' });
    await expect(openBlob(upstream, layer.digest, 'bytes=0-9')).rejects.toMatchObject({ kind: 'faulty' });
    await expect(upstream.manifestHead(APP, reference('1.0'), options)).rejects.toMatchObject({
      kind: 'faulty',
    });
  });

  test('a blob that is cut while it flows is faulty, also as a range', async () => {
    const folder = await ownFolder();
    const { layer } = await writeImage(folder, LARGE);
    const { upstream } = openLayout(folder);
    for (const range of [undefined, 'bytes=1-4999999']) {
      await writeFile(contentPath(folder, layer.digest), LARGE);
      const { body } = await openBlob(upstream, layer.digest, range);
      const reading = (async () => {
        for await (const _chunk of body) await truncate(contentPath(folder, layer.digest), 700_000);
      })();
      await expect(reading).rejects.toMatchObject({ kind: 'faulty' });
    }
  });

  test('a manifest with a wrong byte is never given out', async () => {
    const folder = await ownFolder();
    const { manifest, layer } = await writeImage(folder, Buffer.from('layer'));
    const path = contentPath(folder, manifest.digest);
    await writeFile(path, (await readFile(path, 'utf8')).replace('"schemaVersion":2', '"schemaVersion":3'));
    const { upstream, logged } = openLayout(folder);
    await expect(upstream.manifest(APP, reference('1.0'), options)).rejects.toMatchObject({ kind: 'faulty' });
    await expect(upstream.blobHead(APP, layer.digest, options)).rejects.toMatchObject({ kind: 'not-found' });
    expect(logged()).toContain(manifest.digest);
  });

  test('a manifest that is an index as well is neither', async () => {
    const folder = await ownFolder();
    const writer = createLayoutWriter(folder);
    const inner = await addImage(writer, Buffer.from('inner'));
    const { manifest } = await addImage(writer, Buffer.from('outer'), { manifests: [inner.manifest] });
    await writer.finish([named(manifest, 'team/app:1.0')]);
    const { upstream } = openLayout(folder);
    await expect(upstream.manifest(APP, reference('1.0'), options)).rejects.toMatchObject({ kind: 'faulty' });
    await expect(upstream.blobHead(APP, inner.layer.digest, options)).rejects.toMatchObject({
      kind: 'not-found',
    });
  });

  test('an index of which only some platforms were copied works for those', async () => {
    const folder = await ownFolder();
    const writer = createLayoutWriter(folder);
    const [here, gone] = [
      await addImage(writer, Buffer.from('here')),
      await addImage(writer, Buffer.from('gone')),
    ];
    const index = await writer.addJson(
      { schemaVersion: 2, manifests: [here.manifest, gone.manifest] },
      mediaTypes.OCI_INDEX,
    );
    await writer.finish([named(index, 'team/app:1.0')]);
    await rm(contentPath(folder, gone.manifest.digest));
    const { upstream, logged } = openLayout(folder);
    await upstream.manifest(APP, reference(here.manifest.digest), options);
    await upstream.blobHead(APP, here.layer.digest, options);
    await expect(upstream.manifest(APP, reference(gone.manifest.digest), options)).rejects.toMatchObject({
      kind: 'not-found',
    });
    expect(logged()).toBe('');
  });
});

describe('files that are not what they seem', () => {
  test.each(['a folder', 'a pipe'])('%s is no blob, and nothing hangs on it', async (what) => {
    const folder = await ownFolder();
    const { layer } = await writeImage(folder, Buffer.from('layer'));
    const path = contentPath(folder, layer.digest);
    await rm(path);
    await (what === 'a pipe' ? promisify(execFile)('mkfifo', [path]) : mkdir(path));
    const { upstream } = openLayout(folder);
    await expect(openBlob(upstream, layer.digest)).rejects.toMatchObject({ kind: 'faulty' });
    expect(await openFiles(folder)).toEqual([]);
  });

  test('a link out of the layout is not followed', async () => {
    const [folder, outside] = [await ownFolder(), await ownFolder()];
    const { layer } = await writeImage(folder, Buffer.from('layer'));
    await rename(contentPath(folder, layer.digest), join(outside, 'secret'));
    await symlink(join(outside, 'secret'), contentPath(folder, layer.digest));
    const { upstream } = openLayout(folder);
    await expect(openBlob(upstream, layer.digest)).rejects.toMatchObject({ kind: 'faulty' });
    await expect(openBlob(upstream, layer.digest, 'bytes=0-2')).rejects.toMatchObject({ kind: 'faulty' });
  });

  test('nor is a folder that is one', async () => {
    const [folder, outside] = [await ownFolder(), await ownFolder()];
    const { layer } = await writeImage(folder, Buffer.from('layer'));
    await rename(join(folder, 'blobs', 'sha256'), join(outside, 'sha256'));
    await symlink(join(outside, 'sha256'), join(folder, 'blobs', 'sha256'));
    const { upstream } = openLayout(folder);
    await expect(openBlob(upstream, layer.digest)).rejects.toThrow();
    await expect(openBlob(upstream, layer.digest, 'bytes=0-2')).rejects.toThrow();
  });

  test('a link within the layout is', async () => {
    const folder = await ownFolder();
    const { layer } = await writeImage(folder, Buffer.from('layer'));
    await rename(contentPath(folder, layer.digest), join(folder, 'elsewhere'));
    await symlink('../../elsewhere', contentPath(folder, layer.digest));
    const { upstream } = openLayout(folder);
    expect(String(await readAll((await openBlob(upstream, layer.digest)).body))).toBe('layer');
  });
});

describe('a layout that comes and goes', () => {
  test('is unreachable while it is missing, and works when it is there', async () => {
    const folder = join(await ownFolder(), 'images');
    const { upstream } = openLayout(folder);
    await expect(upstream.manifest(APP, reference('1.0'), options)).rejects.toMatchObject({
      kind: 'unreachable',
    });
    await writeImage(folder, Buffer.from('layer'));
    await upstream.manifest(APP, reference('1.0'), options);
    await rm(folder, { recursive: true });
    await expect(upstream.manifest(APP, reference('1.0'), options)).rejects.toMatchObject({
      kind: 'unreachable',
    });
  });

  test.each([
    ['index.json', '{"manifests": ['],
    ['index.json', '{"manifests": {}}'],
    ['index.json', '{"manifests": [{"digest": "sha256:../../etc/passwd", "mediaType": "a", "size": 1}]}'],
    ['oci-layout', '{}'],
    ['oci-layout', '{"imageLayoutVersion": "2.0"}'],
    ['oci-layout', ' '.repeat(5000)],
  ])('is faulty with this %s: %s', async (file, content) => {
    const folder = await ownFolder();
    const { manifest } = await writeImage(folder, Buffer.from('layer'));
    await writeFile(join(folder, file), content);
    const { upstream } = openLayout(folder);
    await expect(upstream.manifest(APP, reference('1.0'), options)).rejects.toMatchObject({ kind: 'faulty' });
    expect(await openFiles(folder)).toEqual([]);
    await createLayoutWriter(folder).finish([named(manifest, 'team/app:1.0')]);
    await upstream.manifest(APP, reference('1.0'), options);
  });

  test('can be replaced under load: each answer is of one version or the other', async () => {
    const parent = await ownFolder();
    const folder = join(parent, 'images');
    const versions = [
      await writeImage(join(parent, '0'), Buffer.from('zero')),
      await writeImage(join(parent, '1'), Buffer.from('one')),
    ].map(({ manifest }) => manifest.digest);
    await cp(join(parent, '0'), folder, { recursive: true });
    const { upstream } = openLayout(folder);
    const pull = async () => {
      const { signal } = new AbortController();
      return (await upstream.manifest(APP, reference('1.0'), { signal, accept: [] })).digest;
    };
    for (const version of [1, 0, 1]) {
      // Blobs first, the index last: how rsync and skopeo write into a layout.
      await cp(join(parent, `${version}`, 'blobs'), join(folder, 'blobs'), { recursive: true });
      const before = Array.from({ length: 50 }, pull);
      await link(join(parent, `${version}`, 'index.json'), join(folder, 'new'));
      await rename(join(folder, 'new'), join(folder, 'index.json'));
      for (const digest of await Promise.all(before)) expect(versions).toContain(digest);
      expect(await pull()).toBe(versions[version]);
    }
  });
});

describe('readers that go away', () => {
  test('leave no file open, at whatever point they go', async () => {
    const folder = await ownFolder();
    const { layer } = await writeImage(folder, LARGE);
    const { upstream } = openLayout(folder);
    for (let run = 0; run < 60; run += 1) {
      const controller = new AbortController();
      const { body } = await openBlob(upstream, layer.digest, undefined, controller.signal);
      const reading = (async () => {
        let chunks = 0;
        for await (const _chunk of body) {
          chunks += 1;
          if (run % 3 === 0 && chunks > run % 5) break;
          if (run % 3 === 1 && chunks > run % 5) controller.abort(new Error('gone'));
        }
      })();
      if (run % 3 === 2) controller.abort(new Error('gone'));
      if (run % 3 === 0) await reading;
      else await expect(reading).rejects.toThrow('gone');
    }
    expect(await openFiles(folder)).toEqual([]);
  });

  test('a body that nobody reads holds no file, and one that nobody goes on with is closed by the signal', async () => {
    const folder = await ownFolder();
    const { layer } = await writeImage(folder, LARGE);
    const { upstream } = openLayout(folder);
    const controller = new AbortController();
    await openBlob(upstream, layer.digest);
    expect(await openFiles(folder)).toEqual([]);
    const { body } = await openBlob(upstream, layer.digest, undefined, controller.signal);
    const iterator = body[Symbol.asyncIterator]();
    await iterator.next();
    expect((await openFiles(folder)).length).toBe(1);
    controller.abort(new Error('gone'));
    await expect.poll(() => openFiles(folder)).toEqual([]);
    await expect(iterator.next()).rejects.toThrow('gone');
  });

  test('get the reason of their signal from every call', async () => {
    const folder = await ownFolder();
    const { layer } = await writeImage(folder, Buffer.from('layer'));
    const { upstream } = openLayout(folder);
    const signal = AbortSignal.abort(new Error('gone'));
    const page = { signal, query: NO_QUERY };
    await expect(upstream.manifest(APP, reference('1.0'), { signal, accept: [] })).rejects.toThrow('gone');
    await expect(upstream.manifestHead(APP, reference('1.0'), { signal, accept: [] })).rejects.toThrow(
      'gone',
    );
    await expect(upstream.blob(APP, layer.digest, { signal, delivery: 'stream' })).rejects.toThrow('gone');
    await expect(upstream.blobHead(APP, layer.digest, { signal })).rejects.toThrow('gone');
    await expect(upstream.tags(APP, page)).rejects.toThrow('gone');
    await expect(upstream.catalog(page)).rejects.toThrow('gone');
    const none = digestOf(Buffer.alloc(0));
    await expect(upstream.referrers(APP, none, { ...page, artifactType: undefined })).rejects.toThrow('gone');
  });
});
