import { expect } from 'vitest';
import { type Case, NOWHERE } from './case.ts';
import { randomBlob } from './client.ts';

/** @see OCI distribution specification 1.1, "Content Management" */
export const CONTENT_MANAGEMENT: readonly Case[] = [
  {
    name: 'a manifest is deleted by its digest: 202, and then 404',
    async run(client) {
      const { digest } = await client.pushImage('delete-digest');
      expect((await client.ask('DELETE', `manifests/${digest}`)).status).toBe(202);
      expect((await client.getManifest(digest)).status).toBe(404);
      expect((await client.getManifest('delete-digest')).status).toBe(404);
      expect((await client.ask('DELETE', `manifests/${digest}`)).status).toBe(404);
    },
  },
  {
    name: 'a tag is deleted alone: 202, and the manifest stays',
    async run(client) {
      const { digest } = await client.pushImage('delete-tag');
      expect((await client.ask('DELETE', 'manifests/delete-tag')).status).toBe(202);
      expect((await client.getManifest('delete-tag')).status).toBe(404);
      expect((await client.getManifest(digest)).status).toBe(200);
    },
  },
  {
    name: 'a manifest that is not there: 404',
    async run(client) {
      await client.pushImage('delete-nothing');
      expect(await client.ask('DELETE', `manifests/${NOWHERE}`)).toMatchObject({
        status: 404,
        code: 'MANIFEST_UNKNOWN',
      });
    },
  },
  {
    name: 'a blob is deleted: 202, and then 404',
    async run(client) {
      const { digest, bytes } = randomBlob(100);
      await client.pushBlob({ digest, bytes });
      expect((await client.ask('DELETE', `blobs/${digest}`)).status).toBe(202);
      expect((await client.ask('GET', `blobs/${digest}`)).status).toBe(404);
      expect((await client.ask('DELETE', `blobs/${digest}`)).status).toBe(404);
    },
  },
];

/** Where the registry takes no deletes. */
export const DELETES_OFF: readonly Case[] = [
  {
    name: 'deletes that are switched off: 405 UNSUPPORTED, and nothing is gone',
    async run(client) {
      const { digest } = await client.pushImage('delete-off');
      expect(await client.ask('DELETE', `manifests/${digest}`)).toMatchObject({
        status: 405,
        code: 'UNSUPPORTED',
      });
      expect((await client.getManifest('delete-off')).status).toBe(200);
    },
  },
];
