import { describe, expect, it } from 'vitest';
import { digestOf, mediaTypes, parseReference, type Reference } from '../../../../../src/oci/index.ts';
import { UpstreamError } from '../../../../../src/proxy/upstream/index.ts';
import { manifestType } from '../../../../../src/proxy/upstream/remote/content/manifest-type.ts';
import { connect, REPOSITORY, signal } from '../../support/connect.ts';
import { SAMPLE_MANIFEST, sha256, startFakeRegistry } from '../../support/fake-registry.ts';
import { startServer } from '../../support/server.ts';

const { OCI_INDEX, OCI_MANIFEST, DOCKER_MANIFEST, DOCKER_MANIFEST_V1_SIGNED } = mediaTypes;
const LATEST = reference('latest');
const DIGEST = sha256(SAMPLE_MANIFEST);

function reference(text: string): Reference {
  const parsed = parseReference(text);
  if (!parsed) throw new Error(`${text} is no reference`);
  return parsed;
}

async function start() {
  const registry = await startFakeRegistry();
  registry.addManifest(SAMPLE_MANIFEST, OCI_MANIFEST, 'latest');
  const { upstream } = connect(registry.origin);
  const options = { accept: [] as string[], signal: signal() };
  return {
    registry,
    get: (asked: Reference, accept: string[] = []) =>
      upstream.manifest(REPOSITORY, asked, { ...options, accept }),
    head: (asked: Reference) => upstream.manifestHead(REPOSITORY, asked, options),
    /** Answers with this instead. */
    answer: (headers: Record<string, string | number>, body: string | Buffer = SAMPLE_MANIFEST, times = 1) =>
      registry.next(times, '/manifests/', (request, response) => {
        response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : body);
      }),
  };
}

describe('a manifest', () => {
  it.each([LATEST, reference(DIGEST)])('comes with exact bytes, digest and media type', async (asked) => {
    const { get } = await start();
    const content = Buffer.from(SAMPLE_MANIFEST);
    expect(await get(asked)).toEqual({
      digest: DIGEST,
      mediaType: OCI_MANIFEST,
      sizeBytes: content.length,
      content,
    });
  });

  it('is asked for as what the client accepts, or any known kind', async () => {
    const { get, registry } = await start();
    await get(LATEST, ['application/x', 'text/y;q=0.5']);
    await get(LATEST);
    expect(registry.requests.map(({ headers }) => headers.accept)).toEqual([
      'application/x, text/y;q=0.5',
      mediaTypes.MANIFEST_TYPES.join(', '),
    ]);
    expect(registry.requests[0]?.headers).toMatchObject({
      'accept-encoding': 'identity',
      'user-agent': expect.stringMatching(/^docker-registry-proxy\/\d/),
    });
  });

  it('by SHA-512 is checked by SHA-512', async () => {
    const { get, answer } = await start();
    const digest = digestOf(Buffer.from(SAMPLE_MANIFEST), 'sha512');
    answer({ 'content-type': OCI_MANIFEST });
    expect((await get(reference(digest))).digest).toBe(digest);
    answer({ 'content-type': OCI_MANIFEST, 'docker-content-digest': digest });
    expect((await get(LATEST)).digest).toBe(digest);
  });

  it('has its digest computed where the registry leaves it out', async () => {
    const { get, answer } = await start();
    answer({ 'content-type': `${OCI_MANIFEST}; charset=utf-8` });
    expect(await get(LATEST)).toMatchObject({ digest: DIGEST, mediaType: OCI_MANIFEST });
  });

  it.each([
    ['other bytes than asked for', reference(DIGEST), {}, `${SAMPLE_MANIFEST} `],
    ['other bytes than it says', LATEST, { 'docker-content-digest': sha256('x') }, SAMPLE_MANIFEST],
    ['more than 4 MiB', LATEST, {}, Buffer.alloc(4 * 1024 * 1024 + 1, ' ')],
    ['no JSON', LATEST, {}, 'hello'],
  ])('with %s is faulty', async (_what, asked, headers, body) => {
    const { get, answer } = await start();
    answer({ 'content-type': OCI_MANIFEST, ...headers }, body);
    await expect(get(asked)).rejects.toMatchObject({ kind: 'faulty' });
  });

  it('of exactly 4 MiB passes', async () => {
    const { get, answer } = await start();
    answer({ 'content-type': OCI_MANIFEST }, SAMPLE_MANIFEST.padEnd(4 * 1024 * 1024));
    expect((await get(LATEST)).sizeBytes).toBe(4 * 1024 * 1024);
  });

  it.each([
    [404, 'not-found'],
    [400, 'faulty'],
    [403, 'refused'],
  ])('answered %i is %s', async (status, kind) => {
    const { get, registry } = await start();
    registry.next(1, '/manifests/', (_request, response) => void response.writeHead(status).end());
    await expect(get(LATEST)).rejects.toMatchObject({ kind });
  });

  it('whose layers name other addresses makes nobody go there', async () => {
    const { get, registry } = await start();
    const other = await startServer((_request, response) => void response.end());
    const layer = { mediaType: 'a/b', digest: DIGEST, size: 1, urls: [`${other.origin}/layer`] };
    registry.addManifest(JSON.stringify({ schemaVersion: 2, layers: [layer] }), OCI_MANIFEST, 'foreign');
    await get(reference('foreign'));
    expect(other.connectionCount).toBe(0);
  });
});

describe('the head of a manifest', () => {
  const expected = { digest: DIGEST, mediaType: OCI_MANIFEST, sizeBytes: SAMPLE_MANIFEST.length };

  it.each([LATEST, reference(DIGEST)])('costs one HEAD', async (asked) => {
    const { head, registry } = await start();
    expect(await head(asked)).toEqual(expected);
    expect(registry.requests.map(({ method }) => method)).toEqual(['HEAD']);
  });

  it.each([
    ['digest', { 'content-type': OCI_MANIFEST, 'content-length': 5 }],
    ['length', { 'content-type': OCI_MANIFEST, 'docker-content-digest': DIGEST }],
    ['media type', { 'docker-content-digest': DIGEST, 'content-length': 5 }],
    [
      'exact media type',
      { 'content-type': 'text/plain', 'docker-content-digest': DIGEST, 'content-length': 5 },
    ],
  ])('is had by GET where HEAD has no %s', async (_what, headers) => {
    const { head, registry, answer } = await start();
    answer(headers);
    expect(await head(LATEST)).toEqual(expected);
    expect(registry.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  it('needs no digest where it was asked by one', async () => {
    const { head, answer, registry } = await start();
    answer({ 'content-type': OCI_MANIFEST, 'content-length': SAMPLE_MANIFEST.length });
    expect(await head(reference(DIGEST))).toEqual(expected);
    expect(registry.requests).toHaveLength(1);
  });

  it('is had by GET where HEAD is not known', async () => {
    const { head, registry } = await start();
    registry.next(1, '/manifests/', (_request, response) => void response.writeHead(405).end());
    expect(await head(LATEST)).toEqual(expected);
  });

  it('is faulty when it is about something else', async () => {
    const { head, answer } = await start();
    answer({ 'content-type': OCI_MANIFEST, 'content-length': 5, 'docker-content-digest': sha256('x') });
    await expect(head(reference(DIGEST))).rejects.toMatchObject({ kind: 'faulty' });
  });

  it('of one that is missing is not found', async () => {
    const { head } = await start();
    await expect(head(reference('missing'))).rejects.toMatchObject({ kind: 'not-found' });
  });
});

describe('the media type of a manifest', () => {
  const type = (manifest: unknown, header?: string) =>
    manifestType(Buffer.from(JSON.stringify(manifest)), header);

  it.each([
    [{ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }, undefined, OCI_INDEX],
    [{ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }, 'application/octet-stream', OCI_INDEX],
    [{ schemaVersion: 2, mediaType: OCI_MANIFEST, layers: [] }, 'text/plain', OCI_MANIFEST],
    [{ schemaVersion: 2, layers: [] }, DOCKER_MANIFEST, DOCKER_MANIFEST],
    [{ schemaVersion: 2, manifests: [] }, 'application/json', OCI_INDEX],
    [{ schemaVersion: 2, config: {} }, undefined, OCI_MANIFEST],
    [{ schemaVersion: 1, fsLayers: [] }, 'application/json', DOCKER_MANIFEST_V1_SIGNED],
    [
      { blobs: [] },
      'application/vnd.oci.artifact.manifest.v1+json',
      'application/vnd.oci.artifact.manifest.v1+json',
    ],
  ])('%j sent as %s is %s', (manifest, header, expected) => {
    expect(type(manifest, header)).toBe(expected);
  });

  it.each([
    [{ schemaVersion: 2, layers: [], manifests: [] }, OCI_MANIFEST],
    [{ schemaVersion: 2, layers: [], manifests: [] }, 'application/vnd.example.other+json'],
    [{ schemaVersion: 2, Layers: [], manifests: [] }, OCI_INDEX],
    [{ schemaVersion: 2, config: {}, manifests: [] }, OCI_INDEX],
    [{ schemaVersion: 2, fsLayers: [], manifests: [] }, OCI_INDEX],
    [{ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }, OCI_MANIFEST],
    [{ schemaVersion: 2, mediaType: OCI_MANIFEST, layers: [] }, DOCKER_MANIFEST],
    [{ schemaVersion: 2, manifests: [] }, OCI_MANIFEST],
    [{ schemaVersion: 2, layers: [] }, OCI_INDEX],
    [{ schemaVersion: 2, mediaType: 5 }, OCI_MANIFEST],
    [{ schemaVersion: 2, mediaType: 'a/b\r\nX: y' }, OCI_MANIFEST],
    [{}, undefined],
    [[], OCI_MANIFEST],
    ['text', OCI_MANIFEST],
    [null, OCI_MANIFEST],
  ])('%j sent as %s is refused', (manifest, header) => {
    expect(() => type(manifest, header)).toThrow(UpstreamError);
  });
});
