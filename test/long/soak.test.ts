import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { digestBody, getManifest, openBlob, pullAuthorization } from '../e2e/http-client.ts';
import { ALICE, SITE_FILES, siteConfiguration, startPrivateRegistry } from '../e2e/site.ts';
import { type PushedImage, pushImage, pushLargeImage } from '../support/images.ts';
import { readMemory } from '../support/memory.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { waitFor } from '../support/wait.ts';

const MIB = 1024 ** 2;
const SOAK_MS = 180_000;
const WARM_UP_MS = 30_000;
const TEST_TIMEOUT_MS = 300_000;
const CLIENTS = 16;
const CONNECTIONS_AT_ONCE = 1000;
const MEMORY_GROWTH_LIMIT_BYTES = 50 * MIB;
const MEMORY_LIMIT_BYTES = 400 * MIB;
const SPARE_FILES = 20;

describe('over time and in numbers', () => {
  const keep = useResources();
  let proxy: RunningProxy;
  let app: PushedImage;
  let medium: PushedImage;

  beforeAll(async () => {
    const registry = keep(await startPrivateRegistry());
    app = await pushImage(registry, 'acme/team/app', 'v1', { layers: 3 });
    medium = await pushLargeImage(registry, 'acme/team/medium', 'v1', 16 * MIB);
    proxy = keep(await startProxy(siteConfiguration(registry), { files: SITE_FILES }));
  });

  const layerOf = (image: PushedImage) => image.manifests[0]?.layers[0] ?? '';
  const openFiles = () => readdirSync(`/proc/${proxy.pid}/fd`).length;

  it(
    'hours of pulls would cost no more memory or connections than minutes',
    async () => {
      const filesBefore = openFiles();
      await pullFor(WARM_UP_MS);
      const { nowBytes: warm } = readMemory(proxy.pid);
      await pullFor(SOAK_MS);
      expect(readMemory(proxy.pid).nowBytes - warm).toBeLessThan(MEMORY_GROWTH_LIMIT_BYTES);
      await waitFor('connections to be given back', () =>
        openFiles() <= filesBefore + CLIENTS + SPARE_FILES ? true : undefined,
      );
    },
    TEST_TIMEOUT_MS,
  );

  it('1000 clients pull a blob at once', async () => {
    const authorization = await pullAuthorization(proxy, 'team/app', ALICE);
    const pull = () => openBlob(proxy, 'team/app', layerOf(app), authorization).then(digestBody);
    const results = await Promise.all(Array.from({ length: CONNECTIONS_AT_ONCE }, pull));
    expect(new Set(results.map(({ digest }) => digest))).toEqual(new Set([layerOf(app)]));
    expect(readMemory(proxy.pid).peakBytes).toBeLessThan(MEMORY_LIMIT_BYTES);
  });

  /** Whole pulls, pulls that are given up, logins and misses, by several clients at once. */
  async function pullFor(durationMs: number): Promise<void> {
    const end = performance.now() + durationMs;
    const client = async () => {
      while (performance.now() < end) {
        const authorization = await pullAuthorization(proxy, 'team/medium', ALICE);
        expect((await getManifest(proxy, 'team/medium', 'v1', authorization)).status).toBe(200);
        expect((await getManifest(proxy, 'team/medium', 'v2', authorization)).status).toBe(404);
        const whole = await openBlob(proxy, 'team/medium', layerOf(medium), authorization);
        expect((await digestBody(whole)).digest).toBe(layerOf(medium));
        const givenUp = await openBlob(proxy, 'team/medium', layerOf(medium), authorization);
        givenUp.destroy();
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
  }
});
