import { expect } from 'vitest';
import { type Case, NOWHERE } from './case.ts';
import { type ConformanceClient, indexOf, type Manifest, OCI_INDEX } from './client.ts';

const TAGS = ['list-a', 'list-b', 'list-c', 'list-d'];
const KIND = 'application/vnd.example.signature';

function tagsOf(body: Buffer): string[] {
  return (JSON.parse(body.toString()) as { tags: string[] }).tags;
}

function manifestsOf(body: Buffer): { digest: string; artifactType?: string }[] {
  return (JSON.parse(body.toString()) as { manifests: { digest: string; artifactType?: string }[] })
    .manifests;
}

async function pushTags(client: ConformanceClient): Promise<void> {
  const manifest = await client.prepareManifest();
  for (const tag of TAGS) await client.putManifest(tag, manifest);
}

function subjectOf({ mediaType, digest, bytes }: Manifest) {
  return { mediaType, digest, size: bytes.length };
}

/** @see OCI distribution specification 1.1, "Content Discovery" */
export const CONTENT_DISCOVERY: readonly Case[] = [
  {
    name: 'the tags of a repository: 200 with name and tags, in order',
    async run(client) {
      await pushTags(client);
      const { status, body } = await client.ask('GET', 'tags/list');
      expect(status).toBe(200);
      expect(JSON.parse(body.toString()).name).toBe(client.place.repository);
      const tags = tagsOf(body);
      expect(tags).toEqual(expect.arrayContaining(TAGS));
      expect(tags).toEqual([...tags].sort());
    },
  },
  {
    name: 'the tags of a repository that is not there: 404 NAME_UNKNOWN',
    async run(client) {
      const answer = await client.ask('GET', 'tags/list', {
        repository: `${client.place.repository}/nowhere`,
      });
      expect(answer).toMatchObject({ status: 404, code: 'NAME_UNKNOWN' });
    },
  },
  {
    name: 'n= limits how many tags come',
    async run(client) {
      await pushTags(client);
      const { status, body } = await client.ask('GET', 'tags/list?n=2');
      expect(status).toBe(200);
      expect(tagsOf(body)).toHaveLength(2);
    },
  },
  {
    name: 'n= and last= say where the list goes on, and Link leads from page to page',
    async run(client) {
      await pushTags(client);
      const after = await client.ask('GET', 'tags/list?n=2&last=list-a');
      expect(tagsOf(after.body)).toEqual(['list-b', 'list-c']);
      const [, next = ''] = /<([^>]+)>; *rel="?next"?/.exec(after.headers.get('link') ?? '') ?? [];
      const page = await client.ask('GET', new URL(next, client.place.url).href);
      expect(tagsOf(page.body)[0]).toBe('list-d');
    },
  },
  {
    name: 'last= without n= begins behind that tag',
    async run(client) {
      await pushTags(client);
      const tags = tagsOf((await client.ask('GET', 'tags/list?last=list-b')).body);
      expect(tags).toEqual(expect.arrayContaining(['list-c', 'list-d']));
      expect(tags).not.toContain('list-b');
    },
  },
  {
    name: 'n=0 is an empty list',
    async run(client) {
      await pushTags(client);
      const { status, body } = await client.ask('GET', 'tags/list?n=0');
      expect(status).toBe(200);
      expect(tagsOf(body)).toEqual([]);
    },
  },
  {
    name: 'who refers to what nobody refers to: 200 with an empty index, even where it is not there',
    async run(client) {
      const manifest = await client.pushImage('refer-nobody');
      for (const digest of [manifest.digest, NOWHERE]) {
        const { status, body, headers } = await client.ask('GET', `referrers/${digest}`);
        expect(status).toBe(200);
        expect(headers.get('content-type')).toBe(OCI_INDEX);
        expect(manifestsOf(body)).toEqual([]);
      }
    },
  },
  {
    name: 'who refers to a digest that is none: 400',
    async run(client) {
      expect((await client.ask('GET', 'referrers/sha256:abc')).status).toBe(400);
    },
  },
  {
    name: 'who refers to it: what clients keep under the tag of the digest is found',
    async run(client) {
      const image = await client.pushImage('refer-fallback');
      const signature = await client.pushImage('refer-signature', {
        subject: subjectOf(image),
        artifactType: KIND,
      });
      const list = indexOf([signature], {
        manifests: [
          { ...subjectOf(signature), artifactType: KIND },
          {
            ...subjectOf(await client.pushImage('refer-other')),
            artifactType: 'application/vnd.example.other',
          },
        ],
      });
      await client.putManifest(image.digest.replace(':', '-'), list);
      const all = await client.ask('GET', `referrers/${image.digest}`);
      expect(manifestsOf(all.body).map(({ digest }) => digest)).toContain(signature.digest);
      const some = await client.ask('GET', `referrers/${image.digest}?artifactType=${KIND}`);
      expect(manifestsOf(some.body).map(({ digest }) => digest)).toEqual([signature.digest]);
      expect(some.headers.get('oci-filters-applied')).toBe('artifactType');
    },
  },
  {
    name: 'who refers to it: a manifest with a subject is found without more ado',
    async run(client) {
      const image = await client.pushImage('refer-api');
      const signature = await client.prepareManifest({ subject: subjectOf(image), artifactType: KIND });
      expect((await client.putManifest(signature.digest, signature)).status).toBe(201);
      const { body } = await client.ask('GET', `referrers/${image.digest}`);
      expect(manifestsOf(body)).toEqual([expect.objectContaining({ digest: signature.digest })]);
    },
  },
];
