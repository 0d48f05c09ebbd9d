import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { type Blob, createBlob } from '../../support/layers.ts';
import { type Case, NOWHERE } from './case.ts';
import { type ConformanceClient, indexOf, manifestOf, OCI_MANIFEST, randomBlob } from './client.ts';

const MAXIMUM_MANIFEST_BYTES = 4 * 1024 * 1024;

async function expectStored(client: ConformanceClient, blob: Blob): Promise<void> {
  const { status, body } = await client.ask('GET', `blobs/${blob.digest}`);
  expect(status).toBe(200);
  expect(body.equals(blob.bytes)).toBe(true);
}

/** @see OCI distribution specification 1.1, "Push" */
export const PUSH: readonly Case[] = [
  {
    name: 'a blob in one piece: POST is 202, PUT is 201, both with a place',
    async run(client) {
      const blob = randomBlob(5000);
      const start = await client.startUpload();
      expect(start.status).toBe(202);
      expect(start.headers.get('location')).not.toBeNull();
      const end = await client.finish(start.location, blob.digest, blob.bytes);
      expect(end.status).toBe(201);
      const pulled = await client.ask('GET', end.location);
      expect(pulled.body.equals(blob.bytes)).toBe(true);
    },
  },
  {
    name: 'a blob by POST alone: 201, or 202 where that has to be followed by a PUT',
    async run(client) {
      const blob = randomBlob(5000);
      const answer = await client.ask('POST', `blobs/uploads/?digest=${blob.digest}`, {
        headers: { 'content-type': 'application/octet-stream' },
        body: blob.bytes,
      });
      expect([201, 202]).toContain(answer.status);
      if (answer.status === 202) await client.finish(answer.location, blob.digest, blob.bytes);
      await expectStored(client, blob);
    },
  },
  {
    name: 'a blob in a stream: PATCH without a range is 202, PUT without a body is 201',
    async run(client) {
      const blob = randomBlob(300_000);
      const { location } = await client.startUpload();
      const sent = await client.sendChunk(location, blob.bytes);
      expect(sent.status).toBe(202);
      expect((await client.finish(sent.location, blob.digest)).status).toBe(201);
      await expectStored(client, blob);
    },
  },
  {
    name: 'a blob in chunks: each is 202 with a new place and what is there',
    async run(client) {
      const blob = randomBlob(3000);
      let { location } = await client.startUpload();
      for (const start of [0, 1000, 2000]) {
        const sent = await client.sendChunk(location, blob.bytes.subarray(start, start + 1000), start);
        expect(sent.status).toBe(202);
        expect(sent.headers.get('range')).toBe(`0-${start + 999}`);
        location = sent.location;
      }
      expect((await client.finish(location, blob.digest)).status).toBe(201);
      await expectStored(client, blob);
    },
  },
  {
    name: 'a blob in chunks: the PUT may bring the last one',
    async run(client) {
      const blob = randomBlob(2000);
      const start = await client.startUpload();
      const sent = await client.sendChunk(start.location, blob.bytes.subarray(0, 1200), 0);
      expect((await client.finish(sent.location, blob.digest, blob.bytes.subarray(1200))).status).toBe(201);
      await expectStored(client, blob);
    },
  },
  {
    name: 'a first chunk that does not begin at 0: 416',
    async run(client) {
      const { location } = await client.startUpload();
      expect((await client.sendChunk(location, randomBlob(100).bytes, 100)).status).toBe(416);
    },
  },
  {
    name: 'a chunk out of order: 416, and the upload goes on from where it was',
    async run(client) {
      const blob = randomBlob(2000);
      const start = await client.startUpload();
      const first = await client.sendChunk(start.location, blob.bytes.subarray(0, 1000), 0);
      const wrong = await client.sendChunk(first.location, blob.bytes.subarray(1500), 1500);
      expect(wrong.status).toBe(416);
      const progress = await client.ask('GET', first.location);
      expect(progress.status).toBe(204);
      expect(progress.headers.get('range')).toBe('0-999');
      const second = await client.sendChunk(progress.location, blob.bytes.subarray(1000), 1000);
      expect((await client.finish(second.location, blob.digest)).status).toBe(201);
    },
  },
  {
    name: 'how far an upload has come: 204 with range and place',
    async run(client) {
      const start = await client.startUpload();
      expect((await client.ask('GET', start.location)).status).toBe(204);
      const sent = await client.sendChunk(start.location, randomBlob(700).bytes, 0);
      const progress = await client.ask('GET', sent.location);
      expect(progress.status).toBe(204);
      expect(progress.headers.get('range')).toBe('0-699');
      expect(progress.headers.get('location')).not.toBeNull();
    },
  },
  {
    name: 'an upload that is cancelled: 204, and then 404',
    async run(client) {
      const start = await client.startUpload();
      expect((await client.ask('DELETE', start.location)).status).toBe(204);
      expect((await client.ask('GET', start.location)).status).toBe(404);
    },
  },
  {
    name: 'an upload that never was: 404',
    async run(client) {
      const answer = await client.ask('GET', 'blobs/uploads/00000000-0000-0000-0000-000000000000');
      expect(answer).toMatchObject({ status: 404, code: 'BLOB_UPLOAD_UNKNOWN' });
    },
  },
  {
    name: 'a blob with the digest of another: 400 DIGEST_INVALID, and it is not there',
    async run(client) {
      const blob = randomBlob(100);
      const { location } = await client.startUpload();
      const answer = await client.finish(location, blob.digest, randomBlob(100).bytes);
      expect(answer).toMatchObject({ status: 400, code: 'DIGEST_INVALID' });
      expect((await client.ask('HEAD', `blobs/${blob.digest}`)).status).toBe(404);
    },
  },
  {
    name: 'the end of an upload without a digest: 400',
    async run(client) {
      const { location } = await client.startUpload();
      expect((await client.ask('PUT', location, { body: randomBlob(10).bytes })).status).toBe(400);
    },
  },
  {
    name: 'the smallest chunk is told: OCI-Chunk-Min-Length',
    async run(client) {
      const { headers } = await client.startUpload();
      expect(headers.get('oci-chunk-min-length')).toMatch(/^\d+$/);
    },
  },
  {
    name: 'a blob by its SHA-512',
    async run(client) {
      const { bytes } = randomBlob(500);
      const blob = { bytes, digest: `sha512:${createHash('sha512').update(bytes).digest('hex')}` };
      const { location } = await client.startUpload('?digest-algorithm=sha512');
      expect((await client.finish(location, blob.digest, bytes)).status).toBe(201);
      await expectStored(client, blob);
    },
  },
  {
    name: 'a blob of another repository: 201 with a place',
    async run(client) {
      const blob = randomBlob(800);
      await client.pushBlob(blob, client.place.otherRepository);
      const answer = await client.startUpload(`?mount=${blob.digest}&from=${client.place.otherRepository}`);
      expect(answer.status).toBe(201);
      expect((await client.ask('GET', answer.location)).body.equals(blob.bytes)).toBe(true);
    },
  },
  {
    name: 'a blob that the other repository has not: 202, and it can be uploaded',
    async run(client) {
      const blob = randomBlob(800);
      const answer = await client.startUpload(`?mount=${blob.digest}&from=${client.place.otherRepository}`);
      expect(answer.status).toBe(202);
      expect((await client.finish(answer.location, blob.digest, blob.bytes)).status).toBe(201);
    },
  },
  {
    name: 'a mount that does not say where from: 201 or 202',
    async run(client) {
      const blob = randomBlob(800);
      await client.pushBlob(blob, client.place.otherRepository);
      expect([201, 202]).toContain((await client.startUpload(`?mount=${blob.digest}`)).status);
    },
  },
  {
    name: 'a manifest by tag: 201 with its place and digest',
    async run(client) {
      const manifest = await client.prepareManifest();
      const answer = await client.putManifest('push-tag', manifest);
      expect(answer.status).toBe(201);
      expect(answer.headers.get('docker-content-digest')).toBe(manifest.digest);
      expect((await client.ask('GET', answer.location, { headers: { accept: OCI_MANIFEST } })).body).toEqual(
        manifest.bytes,
      );
    },
  },
  {
    name: 'a manifest by digest: 201',
    async run(client) {
      const manifest = await client.prepareManifest();
      expect((await client.putManifest(manifest.digest, manifest)).status).toBe(201);
      expect((await client.getManifest(manifest.digest)).body.equals(manifest.bytes)).toBe(true);
    },
  },
  {
    name: 'a manifest by the digest of another: 400 DIGEST_INVALID',
    async run(client) {
      const answer = await client.putManifest(NOWHERE, await client.prepareManifest());
      expect(answer).toMatchObject({ status: 400, code: 'DIGEST_INVALID' });
    },
  },
  {
    name: 'a manifest by digest with several tags: 201, and each leads to it',
    async run(client) {
      const manifest = await client.prepareManifest();
      const tags = Array.from({ length: 10 }, (_, number) => `push-many-${number}`);
      const query = tags.map((tag) => `tag=${tag}`).join('&');
      const answer = await client.putManifest(`${manifest.digest}?${query}`, manifest);
      expect(answer.status).toBe(201);
      expect(answer.headers.get('oci-tag')?.split(', ').sort()).toEqual(tags);
      for (const tag of tags) {
        const { headers } = await client.getManifest(tag, 'HEAD');
        expect(headers.get('docker-content-digest')).toBe(manifest.digest);
      }
    },
  },
  {
    name: 'a tag that is moved leads to the new manifest',
    async run(client) {
      await client.pushImage('push-moved');
      const second = await client.pushImage('push-moved');
      expect((await client.getManifest('push-moved')).body.equals(second.bytes)).toBe(true);
    },
  },
  {
    name: 'a manifest without layers, for an artifact',
    async run(client) {
      const empty = createBlob('{}');
      await client.pushBlob(empty);
      const manifest = manifestOf(empty, [empty], { artifactType: 'application/vnd.example.thing' });
      expect((await client.putManifest('push-artifact', manifest)).status).toBe(201);
    },
  },
  {
    name: 'a manifest whose blobs are missing: refused, MANIFEST_BLOB_UNKNOWN',
    async run(client) {
      const manifest = manifestOf(randomBlob(10), [randomBlob(10)]);
      const answer = await client.putManifest('push-missing', manifest);
      expect([400, 404]).toContain(answer.status);
      expect(answer.code).toBe('MANIFEST_BLOB_UNKNOWN');
      expect((await client.getManifest('push-missing')).status).toBe(404);
    },
  },
  {
    name: 'an index whose manifests are missing: refused',
    async run(client) {
      const index = indexOf([manifestOf(randomBlob(10), [])]);
      const answer = await client.putManifest('push-missing-index', index);
      expect([400, 404]).toContain(answer.status);
      expect(answer.code).toBe('MANIFEST_BLOB_UNKNOWN');
    },
  },
  {
    name: 'what is no manifest: 400 MANIFEST_INVALID',
    async run(client) {
      const bytes = Buffer.from('{"schemaVersion": 2, ');
      const answer = await client.putManifest('push-invalid', {
        ...createBlob(bytes),
        mediaType: OCI_MANIFEST,
      });
      expect(answer).toMatchObject({ status: 400, code: 'MANIFEST_INVALID' });
    },
  },
  {
    name: 'a manifest of nearly 4 MiB is taken',
    async run(client) {
      const config = randomBlob(10);
      await client.pushBlob(config);
      const bare = manifestOf(config, [], { annotations: { filling: '' } }).bytes.length;
      const filling = 'x'.repeat(MAXIMUM_MANIFEST_BYTES - bare - 1);
      const manifest = manifestOf(config, [], { annotations: { filling } });
      expect((await client.putManifest('push-large', manifest)).status).toBe(201);
      expect((await client.getManifest('push-large')).body.equals(manifest.bytes)).toBe(true);
    },
  },
  {
    name: 'a manifest that is larger than the registry takes: 413',
    async run(client) {
      const filling = 'x'.repeat(2 * MAXIMUM_MANIFEST_BYTES);
      const manifest = manifestOf(randomBlob(10), [], { annotations: { filling } });
      expect(await client.putManifest('push-too-large', manifest)).toMatchObject({
        status: 413,
        code: 'SIZE_INVALID',
      });
    },
  },
  {
    name: 'a manifest with a subject: 201 with OCI-Subject',
    async run(client) {
      const { digest, bytes, mediaType } = await client.pushImage('push-subject');
      const manifest = await client.prepareManifest({ subject: { mediaType, digest, size: bytes.length } });
      const answer = await client.putManifest(manifest.digest, manifest);
      expect(answer.status).toBe(201);
      expect(answer.headers.get('oci-subject')).toBe(digest);
    },
  },
];
