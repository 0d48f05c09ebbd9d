import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { mediaTypes, parseReference } from '../../../../../src/oci/index.ts';
import { connect, REPOSITORY, readAll, signal } from '../../support/connect.ts';
import { SAMPLE_MANIFEST, sha256, startFakeRegistry } from '../../support/fake-registry.ts';

const MIB = 1024 * 1024;

it('a compressed answer is never unpacked: a bomb is as large as what came over the wire', async () => {
  const registry = await startFakeRegistry();
  const { upstream } = connect(registry.origin);
  let bomb: Buffer = gzipSync(Buffer.alloc(128 * MIB));
  bomb = gzipSync(bomb);
  registry.script((_request, response) => {
    response.writeHead(200, {
      'content-type': mediaTypes.OCI_MANIFEST,
      'content-encoding': 'gzip, gzip',
      'content-length': bomb.length,
    });
    response.end(bomb);
    return true;
  });
  const before = process.memoryUsage.rss();
  const reference = parseReference('v1');
  if (!reference) throw new Error('no reference');
  await expect(
    upstream.manifest(REPOSITORY, reference, { accept: [], signal: signal() }),
  ).rejects.toMatchObject({ kind: 'faulty' });
  await expect(
    upstream.tags(REPOSITORY, { query: new URLSearchParams(), signal: signal() }),
  ).rejects.toMatchObject({ kind: 'faulty' });
  const blob = await upstream.blob(REPOSITORY, sha256(bomb), { delivery: 'stream', signal: signal() });
  if (blob.type !== 'content') throw new Error('no content');
  expect(await readAll(blob.body)).toEqual(bomb);
  expect(process.memoryUsage.rss() - before).toBeLessThan(50 * MIB);
});

it('a manifest whose bytes were packed for the way is not the manifest', async () => {
  const registry = await startFakeRegistry();
  const { upstream } = connect(registry.origin);
  const digest = sha256(SAMPLE_MANIFEST);
  registry.script((_request, response) => {
    response.writeHead(200, { 'content-type': mediaTypes.OCI_MANIFEST, 'content-encoding': 'gzip' });
    response.end(gzipSync(SAMPLE_MANIFEST));
    return true;
  });
  const call = upstream.manifest(REPOSITORY, { type: 'digest', digest }, { accept: [], signal: signal() });
  await expect(call).rejects.toMatchObject({ kind: 'faulty' });
});
