import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/index.ts';
import { memoryUpstream } from './support/memory-upstream.ts';
import { bearer, startRegistry } from './support/start-registry.ts';

describe('draining', () => {
  it('lets a running pull end, turns new requests away, and then is done', async () => {
    const content = Buffer.from('first and last');
    const digest = digestOf(content);
    let more: () => void = () => {};
    const asked = new Promise<void>((resolve) => {
      more = resolve;
    });
    const upstream = memoryUpstream('m', {
      blob: async () => ({
        type: 'content',
        sizeBytes: content.length,
        part: undefined,
        mediaType: 'x',
        body: (async function* () {
          yield content.subarray(0, 5);
          await asked;
          yield content.subarray(5);
        })(),
      }),
    });
    const registry = await startRegistry({ upstreams: [upstream] });
    const pull = await fetch(`${registry.url}/v2/app/blobs/${digest}`, { headers: bearer() });
    let drained = false;
    const drain = registry.drain().then(() => {
      drained = true;
    });

    const refused = await fetch(`${registry.url}/v2/`, { headers: bearer() });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('connection')).toBe('close');
    expect(await refused.json()).toMatchObject({ errors: [{ code: 'UNAVAILABLE' }] });
    expect(drained).toBe(false);

    more();
    expect(await pull.text()).toBe('first and last');
    await drain;
    await registry.close();
  });

  it('with nothing running is done at once', async () => {
    const registry = await startRegistry({ upstreams: [memoryUpstream()] });
    await registry.drain();
    await registry.close();
  });
});
