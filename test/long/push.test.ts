import { beforeAll, describe, expect, it } from 'vitest';
import { pushInChunks } from '../e2e/chunked-push.ts';
import { digestBody, openBlob } from '../e2e/http-client.ts';
import { type PushSite, startPushSite, tokenFor } from '../e2e/push-site.ts';
import { createLargeLayer, digestOf } from '../support/layers.ts';
import { readMemory } from '../support/memory.ts';
import { pushStreamedBlob } from '../support/push.ts';
import { useResources } from '../support/resources.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const TEST_TIMEOUT_MS = 600_000;
const MEMORY_LIMIT_BYTES = 300 * MIB;
const SCOPES = ['repository:team/large:pull,push'];

describe('pushes of 2 GiB', () => {
  const keep = useResources();
  let site: PushSite;

  beforeAll(async () => {
    site = await startPushSite(keep);
  });

  it(
    'in chunks, with the connection cut in the middle',
    async () => {
      const { proxy } = site;
      const blob = createLargeLayer('large.bin', 2 * GIB);
      const { digest, resumedAt } = await pushInChunks({
        url: proxy.url,
        repository: 'team/large',
        authorization: await tokenFor(proxy, SCOPES),
        blob,
        chunkBytes: 64 * MIB,
        cutIn: [16],
      });
      expect(resumedAt[0]).toBeGreaterThan(GIB);
      expect(resumedAt[0]).toBeLessThan(GIB + 65 * MIB);
      const pulled = await digestBody(
        await openBlob(proxy, 'team/large', digest, await tokenFor(proxy, SCOPES)),
      );
      expect(pulled).toEqual({ digest, bytes: blob.sizeBytes });
      expect(readMemory(proxy.pid).peakBytes).toBeLessThan(MEMORY_LIMIT_BYTES);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'in one stream',
    async () => {
      const { proxy } = site;
      const target = { url: proxy.url, authorization: await tokenFor(proxy, SCOPES) };
      const startedAt = performance.now();
      const digest = await pushStreamedBlob(target, 'team/large', createLargeLayer('stream.bin', 2 * GIB));
      const seconds = (performance.now() - startedAt) / 1000;
      process.stdout.write(`2 GiB pushed in ${seconds.toFixed(1)} s\n`);
      expect(digest).not.toBe(digestOf(''));
      expect(readMemory(proxy.pid).peakBytes).toBeLessThan(MEMORY_LIMIT_BYTES);
    },
    TEST_TIMEOUT_MS,
  );
});
