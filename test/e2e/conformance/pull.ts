import { expect } from 'vitest';
import type { Case } from './case.ts';
import { NOWHERE } from './case.ts';
import { indexOf, OCI_INDEX, OCI_MANIFEST, randomBlob } from './client.ts';

/** @see OCI distribution specification 1.1, "Pull" */
export const PULL: readonly Case[] = [
  {
    name: 'the API is there, for who is let in',
    async run(client) {
      const url = `${client.place.url}/v2/`;
      expect((await client.ask('GET', url)).status).toBe(200);
      expect((await fetch(url)).status).toBe(401);
    },
  },
  {
    name: 'a blob that is there: HEAD is 200 with its length',
    async run(client) {
      const blob = randomBlob(1000);
      await client.pushBlob(blob);
      const answer = await client.ask('HEAD', `blobs/${blob.digest}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-length')).toBe('1000');
      expect(answer.headers.get('docker-content-digest')).toBe(blob.digest);
    },
  },
  {
    name: 'a blob that is there: GET is 200 with its bytes',
    async run(client) {
      const blob = randomBlob(100_000);
      await client.pushBlob(blob);
      const answer = await client.ask('GET', `blobs/${blob.digest}`);
      expect(answer.status).toBe(200);
      expect(answer.body.equals(blob.bytes)).toBe(true);
    },
  },
  {
    name: 'a range of a blob: 206 with those bytes',
    async run(client) {
      const blob = randomBlob(1000);
      await client.pushBlob(blob);
      const answer = await client.ask('GET', `blobs/${blob.digest}`, { headers: { range: 'bytes=10-19' } });
      expect(answer.status).toBe(206);
      expect(answer.body.equals(blob.bytes.subarray(10, 20))).toBe(true);
      expect(answer.headers.get('content-range')).toBe('bytes 10-19/1000');
    },
  },
  {
    name: 'a blob that is not there: 404',
    async run(client) {
      await client.pushImage('pull-blob-404');
      expect((await client.ask('HEAD', `blobs/${NOWHERE}`)).status).toBe(404);
      expect(await client.ask('GET', `blobs/${NOWHERE}`)).toMatchObject({
        status: 404,
        code: 'BLOB_UNKNOWN',
      });
    },
  },
  {
    name: 'a manifest by tag and by digest: HEAD is 200 with length, type and digest',
    async run(client) {
      const manifest = await client.pushImage('pull-head');
      for (const reference of ['pull-head', manifest.digest]) {
        const { status, headers } = await client.getManifest(reference, 'HEAD');
        expect(status).toBe(200);
        expect(headers.get('content-length')).toBe(String(manifest.bytes.length));
        expect(headers.get('content-type')).toBe(OCI_MANIFEST);
        expect(headers.get('docker-content-digest')).toBe(manifest.digest);
      }
    },
  },
  {
    name: 'a manifest by tag and by digest: GET is 200 with its exact bytes and its type',
    async run(client) {
      const manifest = await client.pushImage('pull-get');
      for (const reference of ['pull-get', manifest.digest]) {
        const { status, headers, body } = await client.getManifest(reference);
        expect(status).toBe(200);
        expect(body.equals(manifest.bytes)).toBe(true);
        expect(headers.get('content-type')).toBe(OCI_MANIFEST);
      }
    },
  },
  {
    name: 'an index is a manifest like any other',
    async run(client) {
      const index = indexOf([await client.pushImage('pull-part-1'), await client.pushImage('pull-part-2')]);
      expect((await client.putManifest('pull-index', index)).status).toBe(201);
      const { body, headers } = await client.getManifest('pull-index');
      expect(body.equals(index.bytes)).toBe(true);
      expect(headers.get('content-type')).toBe(OCI_INDEX);
    },
  },
  {
    name: 'a manifest that is not there: 404',
    async run(client) {
      await client.pushImage('pull-manifest-404');
      for (const reference of ['no-such-tag', NOWHERE]) {
        expect((await client.getManifest(reference, 'HEAD')).status).toBe(404);
        const answer = await client.getManifest(reference);
        expect(answer).toMatchObject({ status: 404, code: 'MANIFEST_UNKNOWN' });
      }
    },
  },
  {
    name: 'what is no digest and no tag: an error in the form of the specification',
    async run(client) {
      for (const path of ['blobs/sha256:abc', 'manifests/sha256:abc', `manifests/${'t'.repeat(129)}`]) {
        const answer = await client.ask('GET', path);
        expect([400, 404]).toContain(answer.status);
        expect(answer.code).toMatch(/^[A-Z_]+$/);
      }
    },
  },
];
