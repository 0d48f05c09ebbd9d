import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type PushedImage, pushImage, pushLargeImage } from '../support/images.ts';
import { readMemory } from '../support/memory.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { createSkopeo } from './clients.ts';
import { expectSuccess } from './expectations.ts';
import { digestBody, openBlob, pullAuthorization } from './http-client.ts';
import { ALICE, SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';

const MIB = 1024 ** 2;
const PULLS_AT_ONCE = 20;
const SLOW_READERS = 200;
// What a proxy may need in all, however large the blob is and however many read it slowly.
const MEMORY_LIMIT_BYTES = 300 * MIB;
const LARGE_BYTES = 512 * MIB;

describe('large and many', () => {
  const keep = useResources();
  let proxy: RunningProxy;
  let large: PushedImage;
  let medium: PushedImage;
  let small: PushedImage;

  beforeAll(async () => {
    const registry = keep(await startPrivateRegistry());
    large = await pushLargeImage(registry, 'acme/team/large', 'v1', LARGE_BYTES);
    medium = await pushLargeImage(registry, 'acme/team/medium', 'v1', 64 * MIB);
    small = await pushImage(registry, 'acme/team/small', 'v1', { layers: 8, layerSizeBytes: MIB });
    proxy = keep(await startProxy(siteConfiguration(registry), { files: SITE_FILES }));
  });

  const layerOf = (image: PushedImage) => image.manifests[0]?.layers[0] ?? '';

  it('many slow readers of a large blob cost little memory', async () => {
    const authorization = await pullAuthorization(proxy, 'team/medium', ALICE);
    const open = () => openBlob(proxy, 'team/medium', layerOf(medium), authorization);
    const bodies = await Promise.all(Array.from({ length: SLOW_READERS }, open));
    expect(bodies.map((body) => body.statusCode)).toEqual(bodies.map(() => 200));
    // None is read: what cannot be sent has to wait at the upstream. Meanwhile others pull.
    const { digest } = await digestBody(await open());
    expect(digest).toBe(layerOf(medium));
    expect(readMemory(proxy.pid).peakBytes).toBeLessThan(MEMORY_LIMIT_BYTES);
    for (const body of bodies) body.destroy();
  });

  it('a blob of half a GiB comes through whole, without being held', async () => {
    const authorization = await pullAuthorization(proxy, 'team/large', ALICE);
    const body = await openBlob(proxy, 'team/large', layerOf(large), authorization);
    const { digest, bytes } = await digestBody(body);
    expect(digest).toBe(layerOf(large));
    expect(bytes).toBe(Number(body.headers['content-length']));
    expect(bytes).toBeGreaterThan(LARGE_BYTES);
    expect(readMemory(proxy.pid).peakBytes).toBeLessThan(MEMORY_LIMIT_BYTES);
  });

  it('skopeo copies the image with the blob of half a GiB', async () => {
    const skopeo = keep(await createSkopeo());
    const folder = join(skopeo.home, 'large');
    const options = ['--src-tls-verify=false', '--src-creds', `${ALICE.username}:${ALICE.password}`];
    expectSuccess(
      await skopeo.run('copy', ...options, `docker://${proxy.host}/team/large:v1`, `dir:${folder}`),
    );
    const manifest = await skopeo.run('manifest-digest', join(folder, 'manifest.json'));
    expect(manifest.stdout.trim()).toBe(large.digest);
    await rm(folder, { recursive: true });
  });

  it('20 clients pull at once', async () => {
    const options = ['--src-tls-verify=false', '--src-creds', `${ALICE.username}:${ALICE.password}`];
    const pull = async () => {
      const skopeo = keep(await createSkopeo());
      const folder = join(skopeo.home, 'small');
      const source = `docker://${proxy.host}/team/small:v1`;
      expectSuccess(await skopeo.run('copy', ...options, source, `dir:${folder}`));
      return (await skopeo.run('manifest-digest', join(folder, 'manifest.json'))).stdout.trim();
    };
    const digests = await Promise.all(Array.from({ length: PULLS_AT_ONCE }, pull));
    expect(digests).toEqual(digests.map(() => small.digest));
  });
});
