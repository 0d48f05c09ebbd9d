import { expect } from 'vitest';
import type { Limit } from './case.ts';

/** What docker-registry 2.8.2 does not do, and the proxy does not do in its place. */
export const LIMITS: readonly Limit[] = [
  {
    case: 'the smallest chunk is told: OCI-Chunk-Min-Length',
    because: 'it takes chunks of any size and does not say so',
    async instead(client) {
      const { status, headers } = await client.startUpload();
      expect(status).toBe(202);
      expect(headers.get('oci-chunk-min-length')).toBeNull();
    },
  },
  {
    case: 'a manifest with a subject: 201 with OCI-Subject',
    because: 'it does not know subjects; without the header, clients keep the list of referrers under a tag',
    async instead(client) {
      const { digest, bytes, mediaType } = await client.pushImage('limit-subject');
      const manifest = await client.prepareManifest({ subject: { mediaType, digest, size: bytes.length } });
      const { status, headers } = await client.putManifest(manifest.digest, manifest);
      expect(status).toBe(201);
      expect(headers.get('oci-subject')).toBeNull();
    },
  },
  {
    case: 'who refers to it: a manifest with a subject is found without more ado',
    because: 'it has no referrers API; the list that clients keep under a tag is found, see the case before',
    async instead(client) {
      const image = await client.pushImage('limit-referrers');
      const { status, body } = await client.ask('GET', `referrers/${image.digest}`);
      expect(status).toBe(200);
      expect(JSON.parse(body.toString())).toMatchObject({ manifests: [] });
    },
  },
  {
    case: 'a tag is deleted alone: 202, and the manifest stays',
    because: 'it deletes manifests by their digest only',
    async instead(client) {
      await client.pushImage('limit-tag');
      const answer = await client.ask('DELETE', 'manifests/limit-tag');
      expect(answer).toMatchObject({ status: 405, code: 'UNSUPPORTED' });
      expect((await client.getManifest('limit-tag')).status).toBe(200);
    },
  },
];
