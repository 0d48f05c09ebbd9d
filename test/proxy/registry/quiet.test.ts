import { expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../../src/oci/index.ts';
import { memoryUpstream } from './support/memory-upstream.ts';
import { bearer, startRegistry } from './support/start-registry.ts';

it('a client that has taken everything is not cut off while the upstream is quiet', async () => {
  const content = Buffer.from('first and last');
  const upstream = memoryUpstream('m', {
    blob: async () => ({
      type: 'content',
      sizeBytes: content.length,
      part: undefined,
      mediaType: 'x',
      body: (async function* () {
        yield content.subarray(0, 5);
        // The upstream has a time-out of its own, and a broken body is taken up again.
        await new Promise((resolve) => setTimeout(resolve, 1000));
        yield content.subarray(5);
      })(),
    }),
  });
  const registry = await startRegistry({ upstreams: [upstream], server: { progressTimeout: '200ms' } });
  onTestFinished(() => registry.close());
  const answer = await fetch(`${registry.url}/v2/app/blobs/${digestOf(content)}`, { headers: bearer() });
  expect(await answer.text()).toBe('first and last');
});
