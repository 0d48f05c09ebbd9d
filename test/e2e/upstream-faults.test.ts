import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry.ts';
import { findFreePort } from '../support/ports.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { digestBody, getManifest, openBlob, pullAuthorization } from './http-client.ts';
import { ALICE, SITE_FILES, siteConfiguration } from './site.ts';

const BLOB_BYTES = 8 * 1024 ** 2;
const NAME = 'team/app';

function configurationFor(upstream: { readonly url: string }) {
  return siteConfiguration(upstream, {
    upstreams: { faulty: { url: upstream.url } },
    routes: [{ match: { path: 'team' }, upstream: 'faulty', repository: 'acme/{name}' }],
  });
}

describe('an upstream that fails', () => {
  const keep = useResources();
  let registry: FaultyRegistry;
  let proxy: RunningProxy;
  let authorization: string;

  beforeAll(async () => {
    registry = keep(await startFaultyRegistry(randomBytes(BLOB_BYTES)));
    proxy = keep(await startProxy(configurationFor(registry), { files: SITE_FILES }));
  });

  beforeEach(async () => {
    registry.fail({ type: 'none' });
    authorization = await pullAuthorization(proxy, NAME, ALICE);
  });

  const blob = () => openBlob(proxy, NAME, registry.blob.digest, authorization);
  const manifest = (reference = 'v1') => getManifest(proxy, NAME, reference, authorization);

  it('a connection that breaks in the middle of a blob is resumed, and the client sees nothing', async () => {
    registry.fail({ type: 'reset-once' });
    const before = registry.requests.length;
    expect(await digestBody(await blob())).toEqual({ digest: registry.blob.digest, bytes: BLOB_BYTES });
    const requests = registry.requests.slice(before);
    expect(requests).toHaveLength(2);
    expect(requests[1]).toMatch(/bytes=[1-9]\d*-/);
  });

  it('a connection that breaks again and again ends in a broken body', async () => {
    registry.fail({ type: 'reset-always' });
    await expect(blob().then(digestBody)).rejects.toThrow();
  });

  it('a wrong byte breaks the connection before the end', async () => {
    registry.fail({ type: 'wrong-byte' });
    await expect(blob().then(digestBody)).rejects.toThrow();
  });

  it('a body that is too short breaks the connection before the end', async () => {
    registry.fail({ type: 'short-body' });
    await expect(blob().then(digestBody)).rejects.toThrow();
  });

  it('429 stays 429, with Retry-After, in the form of the protocol, and the registry has its rest', async () => {
    // Of its own: for an hour nothing more would come through it.
    const resting = keep(await startProxy(configurationFor(registry), { files: SITE_FILES }));
    const bearer = await pullAuthorization(resting, NAME, ALICE);
    registry.fail({ type: 'status', status: 429, headers: { 'retry-after': '3600' } });
    const first = await getManifest(resting, NAME, 'v1', bearer);
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '3600']);
    expect(await first.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS' }] });

    const asked = registry.requests.length;
    const second = await getManifest(resting, NAME, registry.manifest.digest, bearer);
    expect(second.status).toBe(429);
    expect(await second.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS' }] });
    const third = await openBlob(resting, NAME, registry.blob.digest, bearer);
    third.resume();
    expect(third.statusCode).toBe(429);
    for (const left of [second.headers.get('retry-after'), third.headers['retry-after']]) {
      expect(Number(left)).toBeGreaterThan(3000);
      expect(Number(left)).toBeLessThanOrEqual(3600);
    }
    expect(registry.requests).toHaveLength(asked);
  });

  it.each([500, 502, 503, 401, 403])('%d is never told as a missing image', async (status) => {
    registry.fail({ type: 'status', status });
    const response = await manifest();
    expect([502, 503]).toContain(response.status);
    expect((await response.json()) as object).toHaveProperty('errors');
    const answer = await blob();
    answer.resume();
    expect([502, 503]).toContain(answer.statusCode);
  });

  it('one 503 is tried again, and the client sees nothing', async () => {
    registry.fail({ type: 'status', status: 503, times: 1 });
    expect((await manifest()).status).toBe(200);
  });

  it('after each fault the next pull is well', async () => {
    expect((await manifest()).headers.get('docker-content-digest')).toBe(registry.manifest.digest);
    expect((await digestBody(await blob())).digest).toBe(registry.blob.digest);
  });
});

describe('an upstream that is down when the proxy starts', () => {
  it('is told as 502 or 503, and is used once it is up', async () => {
    const port = await findFreePort();
    const proxy = await startProxy(configurationFor({ url: `http://127.0.0.1:${port}` }), {
      files: SITE_FILES,
    });
    onTestFinished(proxy.close);
    expect((await fetch(`${proxy.adminUrl}/readyz`)).status).toBe(200);
    const authorization = await pullAuthorization(proxy, NAME, ALICE);
    const refused = await getManifest(proxy, NAME, 'v1', authorization);
    expect([502, 503]).toContain(refused.status);
    expect((await refused.json()) as object).toHaveProperty('errors');

    const registry = await startFaultyRegistry(randomBytes(1024), { port });
    onTestFinished(registry.close);
    const response = await getManifest(proxy, NAME, 'v1', authorization);
    expect(response.headers.get('docker-content-digest')).toBe(registry.manifest.digest);
  });
});
