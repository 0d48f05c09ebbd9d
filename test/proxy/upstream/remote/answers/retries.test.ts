import { describe, expect, it } from 'vitest';
import { mediaTypes, parseReference } from '../../../../../src/oci/index.ts';
import { connect, REPOSITORY, readAll, signal } from '../../support/connect.ts';
import { content, SAMPLE_MANIFEST, sha256, startFakeRegistry } from '../../support/fake-registry.ts';

const LATEST = parseReference('latest');
const BLOB = content(1000);

async function start() {
  const registry = await startFakeRegistry();
  registry.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, 'latest');
  registry.addBlob(BLOB);
  const connected = connect(registry.origin);
  return {
    ...connected,
    registry,
    manifest: () => {
      if (!LATEST) throw new Error('no reference');
      return connected.upstream.manifest(REPOSITORY, LATEST, { accept: [], signal: signal() });
    },
    blob: () => connected.upstream.blob(REPOSITORY, sha256(BLOB), { delivery: 'stream', signal: signal() }),
  };
}

describe('an answer that says "not now"', () => {
  it.each([408, 429, 502, 503, 504])('with %i is asked again, twice', async (status) => {
    const { registry, manifest, clock, recoveries } = await start();
    registry.next(2, '/manifests/', (_request, response) => void response.writeHead(status).end());
    await manifest();
    expect(registry.requests).toHaveLength(3);
    // Half of 100 and 200 ms, as the jitter is 0.5.
    expect(clock.sleeps).toEqual([50, 100]);
    expect(await recoveries('retry')).toBe(2);
  });

  it.each([
    [408, 'unreachable'],
    [429, 'rate-limited'],
    [502, 'faulty'],
    [503, 'unreachable'],
    [504, 'faulty'],
  ])('with %i for ever is %s', async (status, kind) => {
    const { registry, manifest } = await start();
    registry.next(99, '/manifests/', (_request, response) => void response.writeHead(status).end());
    await expect(manifest()).rejects.toMatchObject({ kind });
    expect(registry.requests).toHaveLength(3);
  });

  it('for a blob is asked again too', async () => {
    const { registry, blob } = await start();
    registry.next(2, '/blobs/', (_request, response) => void response.writeHead(503).end('busy'));
    const answer = await blob();
    expect(answer.type === 'content' && BLOB.equals(await readAll(answer.body))).toBe(true);
  });

  it.each([
    ['3', 3000],
    [new Date(1_700_000_000_000 + 4000).toUTCString(), 4000],
  ])('is asked again when it said: after %s', async (retryAfter, waitMs) => {
    const { registry, manifest, clock } = await start();
    registry.next(1, '/manifests/', (_request, response) => {
      response.writeHead(429, { 'retry-after': retryAfter }).end();
    });
    await manifest();
    expect(clock.sleeps).toEqual([waitMs]);
  });

  it.each([
    [429, 'rate-limited', '60'],
    [503, 'unreachable', '6'],
    [429, 'rate-limited', new Date(1_700_000_000_000 + 60_000).toUTCString()],
  ])('with %i is taken at its word (%s, after %s)', async (status, kind, retryAfter) => {
    for (const call of ['manifest', 'blob'] as const) {
      const all = await start();
      all.registry.script((_request, response) => {
        response.writeHead(status, { 'retry-after': retryAfter }).end();
        return true;
      });
      await expect(all[call]()).rejects.toMatchObject({ kind, retryAfter });
      expect(all.registry.requests).toHaveLength(1);
      expect(all.clock.sleeps).toEqual([]);
    }
  });
});

describe('a connection that breaks', () => {
  it.each(['manifest', 'blob'] as const)('before the answer to a %s is made again', async (call) => {
    const all = await start();
    all.registry.next(2, '/v2/', (_request, response) => response.socket?.resetAndDestroy());
    await all[call]();
    expect(all.registry.requests).toHaveLength(3);
  });

  it('in the middle of a manifest is made again', async () => {
    const { registry, manifest } = await start();
    registry.next(1, '/manifests/', (_request, response) => {
      response.writeHead(200, { 'content-length': 500 });
      response.write('{', () => response.socket?.resetAndDestroy());
    });
    expect((await manifest()).content.toString()).toBe(SAMPLE_MANIFEST);
  });

  it('for ever is unreachable', async () => {
    const { registry, manifest } = await start();
    registry.next(99, '/', (_request, response) => response.socket?.resetAndDestroy());
    await expect(manifest()).rejects.toMatchObject({ kind: 'unreachable', retryAfter: undefined });
    expect(registry.requests).toHaveLength(3);
  });
});

it.each([400, 403, 404, 500, 501])('%i is not asked again', async (status) => {
  const { registry, manifest } = await start();
  registry.next(99, '/', (_request, response) => void response.writeHead(status).end());
  await expect(manifest()).rejects.toThrow();
  expect(registry.requests).toHaveLength(1);
});
