import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createLayoutWriter, named } from '../../../../src/cli/demo/layout-writer.ts';
import { writeSampleLayout } from '../../../../src/cli/demo/sample-layout.ts';
import { digestOf, mediaTypes } from '../../../../src/oci/index.ts';
import { findBinary } from '../../../support/binaries.ts';
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

describe('a layout with one image', () => {
  test('gives its manifest by tag and by digest, with the exact bytes', async () => {
    const folder = await ownFolder();
    const { manifest } = await writeImage(folder, Buffer.from('layer'));
    const { upstream } = openLayout(folder);
    const byTag = await upstream.manifest(APP, reference('1.0'), options);
    expect(byTag).toMatchObject({
      digest: manifest.digest,
      mediaType: manifest.mediaType,
      sizeBytes: manifest.size,
    });
    expect(digestOf(byTag.content)).toBe(manifest.digest);
    expect(await upstream.manifest(APP, reference(manifest.digest), options)).toEqual(byTag);
    const { content: _, ...head } = byTag;
    expect(await upstream.manifestHead(APP, reference('1.0'), options)).toEqual(head);
  });

  test('gives its blobs', async () => {
    const folder = await ownFolder();
    const content = Buffer.alloc(3_000_000, 'layer');
    const { layer, config } = await writeImage(folder, content);
    const { upstream } = openLayout(folder);
    const head = { sizeBytes: content.length, mediaType: mediaTypes.OCTET_STREAM };
    expect(await upstream.blobHead(APP, layer.digest, { signal: SIGNAL })).toEqual(head);
    const answer = await upstream.blob(APP, layer.digest, { signal: SIGNAL, delivery: 'redirect' });
    if (answer.type !== 'content') throw new Error('expected content');
    expect(answer).toMatchObject({ ...head, part: undefined });
    expect((await readAll(answer.body)).equals(content)).toBe(true);
    expect(await upstream.blobHead(APP, config.digest, { signal: SIGNAL })).toMatchObject({
      sizeBytes: config.size,
    });
  });

  test('says not-found of what it does not have', async () => {
    const folder = await ownFolder();
    const { manifest, layer } = await writeImage(folder, Buffer.from('layer'));
    const { upstream } = openLayout(folder);
    const notFound = expect.objectContaining({ name: 'UpstreamError', kind: 'not-found' });
    const nothing = digestOf(Buffer.from('nothing'));
    await expect(upstream.manifest(APP, reference('2.0'), options)).rejects.toEqual(notFound);
    await expect(upstream.manifest(APP, reference(nothing), options)).rejects.toEqual(notFound);
    await expect(upstream.manifest(repository('team/other'), reference('1.0'), options)).rejects.toEqual(
      notFound,
    );
    await expect(
      upstream.tags(repository('team/other'), { signal: SIGNAL, query: NO_QUERY }),
    ).rejects.toEqual(notFound);
    await expect(upstream.blobHead(APP, nothing, { signal: SIGNAL })).rejects.toEqual(notFound);
    await expect(upstream.blobHead(APP, manifest.digest, { signal: SIGNAL })).rejects.toEqual(notFound);
    await expect(upstream.manifestHead(APP, reference(layer.digest), options)).rejects.toEqual(notFound);
  });
});

test('content of one repository can not be had through another', async () => {
  const folder = await ownFolder();
  const writer = createLayoutWriter(folder);
  const ours = await addImage(writer, Buffer.from('ours'));
  const theirs = await addImage(writer, Buffer.from('theirs'));
  const stray = await writer.add(Buffer.from('in no manifest'), mediaTypes.OCI_LAYER_GZIP);
  await writer.finish([named(ours.manifest, 'team/app:1.0'), named(theirs.manifest, 'secret/app:1.0')]);
  const { upstream } = openLayout(folder);
  const blob = { signal: SIGNAL, delivery: 'stream' } as const;
  for (const { digest } of [theirs.layer, theirs.config, stray]) {
    await expect(upstream.blob(APP, digest, blob)).rejects.toMatchObject({ kind: 'not-found' });
    await expect(upstream.blobHead(APP, digest, blob)).rejects.toMatchObject({ kind: 'not-found' });
  }
  await expect(upstream.manifest(APP, reference(theirs.manifest.digest), options)).rejects.toMatchObject({
    kind: 'not-found',
  });
  await upstream.blob(repository('secret/app'), theirs.layer.digest, blob);
});

describe('referrers', () => {
  async function withReferrers() {
    const folder = await ownFolder();
    const writer = createLayoutWriter(folder);
    const image = await addImage(writer, Buffer.from('image'));
    const other = await addImage(writer, Buffer.from('other'));
    const signature = await addImage(writer, Buffer.from('signature'), {
      subject: image.manifest,
      artifactType: 'application/x-signature',
      annotations: { by: 'release' },
    });
    const onSignature = await addImage(writer, Buffer.from('on the signature'), {
      subject: signature.manifest,
    });
    const foreign = await addImage(writer, Buffer.from('foreign'), { subject: image.manifest });
    await writer.finish([
      onSignature.manifest,
      signature.manifest,
      named(image.manifest, 'team/app:1.0'),
      named(other.manifest, 'team/other:1.0'),
      named(foreign.manifest, 'secret/app:1.0'),
    ]);
    return { ...openLayout(folder), image, other, signature, onSignature };
  }
  const query = { signal: SIGNAL, query: NO_QUERY, artifactType: undefined };

  test('are the unnamed manifests about one of ours, with what they say of themselves', async () => {
    const { upstream, image, signature, onSignature } = await withReferrers();
    expect(await upstream.referrers(APP, image.manifest.digest, query)).toEqual({
      manifests: [
        { ...signature.manifest, artifactType: 'application/x-signature', annotations: { by: 'release' } },
      ],
      filtered: false,
      next: undefined,
    });
    expect(await upstream.referrers(APP, signature.manifest.digest, query)).toMatchObject({
      manifests: [{ digest: onSignature.manifest.digest, artifactType: mediaTypes.OCI_CONFIG }],
    });
  });

  test('are filtered by artifact type', async () => {
    const { upstream, image } = await withReferrers();
    const wanted = (artifactType: string) =>
      upstream.referrers(APP, image.manifest.digest, { ...query, artifactType });
    expect(await wanted('application/x-signature')).toMatchObject({ filtered: true, manifests: [{}] });
    expect(await wanted('application/x-sbom')).toEqual({ filtered: true, manifests: [], next: undefined });
  });

  test('can be pulled, but only where their subject is', async () => {
    const { upstream, signature, other } = await withReferrers();
    await upstream.manifest(APP, reference(signature.manifest.digest), options);
    await upstream.blobHead(APP, signature.layer.digest, { signal: SIGNAL });
    const elsewhere = upstream.manifest(
      repository('team/other'),
      reference(signature.manifest.digest),
      options,
    );
    await expect(elsewhere).rejects.toMatchObject({ kind: 'not-found' });
    expect(await upstream.referrers(repository('team/other'), other.manifest.digest, query)).toMatchObject({
      manifests: [],
    });
  });
});

describe('listings', () => {
  async function withTags(names: readonly string[]) {
    const folder = await ownFolder();
    const writer = createLayoutWriter(folder);
    const { manifest } = await addImage(writer, Buffer.from('layer'));
    await writer.finish(names.map((name) => named(manifest, name)));
    return openLayout(folder).upstream;
  }

  test('tags come sorted and in pages', async () => {
    const upstream = await withTags(['team/app:b', 'team/app:a', 'team/app:C', 'team/app:10', 'other:z']);
    const all = await upstream.tags(APP, { signal: SIGNAL, query: NO_QUERY });
    expect(all).toEqual({ tags: ['10', 'C', 'a', 'b'], next: undefined });
    const collected: string[] = [];
    let query: URLSearchParams | undefined = new URLSearchParams({ n: '3' });
    while (query) {
      const page = await upstream.tags(APP, { signal: SIGNAL, query });
      collected.push(page.tags.join());
      query = page.next;
    }
    expect(collected).toEqual(['10,C,a', 'b']);
    expect(await upstream.tags(APP, { signal: SIGNAL, query: new URLSearchParams('n=0') })).toEqual({
      tags: [],
      next: undefined,
    });
  });

  test('a page is never longer than 1000', async () => {
    const upstream = await withTags(Array.from({ length: 1001 }, (_, index) => `team/app:${index + 1000}`));
    for (const n of ['', '99999', '-1', 'all']) {
      const page = await upstream.tags(APP, { signal: SIGNAL, query: new URLSearchParams(n && { n }) });
      expect(page.tags.length).toBe(1000);
      expect(page.next?.get('last')).toBe('1999');
    }
  });

  test('the catalogue lists repositories in pages', async () => {
    const upstream = await withTags(['b/x:1', 'a:1', 'docker.io/library/c:1']);
    const first = await upstream.catalog({ signal: SIGNAL, query: new URLSearchParams({ n: '2' }) });
    expect(first.repositories).toEqual(['a', 'b/x']);
    expect(await upstream.catalog({ signal: SIGNAL, query: first.next ?? NO_QUERY })).toEqual({
      repositories: ['library/c'],
      next: undefined,
    });
  });

  test('an entry with a bare tag is left out, and one log line says how to name it', async () => {
    const folder = await ownFolder();
    const writer = createLayoutWriter(folder);
    const { manifest } = await addImage(writer, Buffer.from('layer'));
    await writer.finish([named(manifest, 'latest'), named(manifest, '1.0'), named(manifest, 'team/app:1.0')]);
    const { upstream, logged } = openLayout(folder);
    for (let i = 0; i < 3; i += 1) {
      const { repositories } = await upstream.catalog({ signal: SIGNAL, query: NO_QUERY });
      expect(repositories).toEqual(['team/app']);
    }
    const lines = logged()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([expect.objectContaining({ level: 'warn', upstream: 'airgap', count: 2 })]);
    expect(lines[0].problems[0]).toContain('skopeo copy');
  });
});

test('a multi-platform image that skopeo copied is whole', async () => {
  const [source, copy] = [await ownFolder(), await ownFolder()];
  await writeSampleLayout(source, ['hello:latest']);
  await promisify(execFile)(findBinary('skopeo'), [
    'copy',
    '--all',
    `oci:${source}:hello:latest`,
    `oci:${copy}:team/app:1.0`,
  ]);
  const { upstream } = openLayout(copy);
  const index = await upstream.manifest(APP, reference('1.0'), options);
  expect(index.mediaType).toBe(mediaTypes.OCI_INDEX);
  const { manifests } = JSON.parse(index.content.toString());
  expect(manifests.length).toBe(2);
  for (const { digest } of manifests) {
    const { content } = await upstream.manifest(APP, reference(digest), options);
    const { config, layers } = JSON.parse(content.toString());
    for (const blob of [config, ...layers]) {
      const answer = await upstream.blob(APP, blob.digest, { signal: SIGNAL, delivery: 'stream' });
      if (answer.type !== 'content') throw new Error('expected content');
      const file = await readFile(join(copy, 'blobs', blob.digest.replace(':', '/')));
      expect((await readAll(answer.body)).equals(file)).toBe(true);
    }
  }
});
