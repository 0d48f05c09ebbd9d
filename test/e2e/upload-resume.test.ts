import { beforeAll, describe, expect, it } from 'vitest';
import { createLargeLayer } from '../support/layers.ts';
import { readMemory } from '../support/memory.ts';
import { findFreePort } from '../support/ports.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import type { PushTarget } from '../support/push.ts';
import { useResources } from '../support/resources.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';
import { pushInChunks } from './chunked-push.ts';
import { digestBody, openBlob } from './http-client.ts';
import { pushConfiguration, tokenFor } from './push-site.ts';
import { SITE_FILES, startPrivateRegistry, upstreamOptions } from './site.ts';

const MIB = 1024 ** 2;
const SIZE_BYTES = 64 * MIB;
const CHUNK_BYTES = 8 * MIB;
const MEMORY_LIMIT_BYTES = 300 * MIB;
const SCOPES = ['repository:team/large:pull,push'];

describe('a push in chunks', () => {
  const keep = useResources();
  let proxy: RunningProxy;
  let registry: PushTarget;
  let restart: () => Promise<void>;

  beforeAll(async () => {
    const upstream = keep(await startPrivateRegistry());
    registry = upstream;
    const folder = keep(await createTemporaryFolder('proxy'));
    const upstreams = { main: upstreamOptions(upstream.url), tokened: upstreamOptions(upstream.url) };
    const server = { address: `127.0.0.1:${await findFreePort()}` };
    const configuration = pushConfiguration(upstreams, { server });
    const start = () => startProxy(configuration, { folder: folder.path, files: SITE_FILES });
    proxy = await start();
    keep({ close: () => proxy.close(), logs: () => proxy.logs() });
    restart = async () => {
      await proxy.close();
      proxy = await start();
    };
  });

  it('goes on where it was when the connection is cut, and when the proxy is started anew', async () => {
    const authorization = await tokenFor(proxy, SCOPES);
    const { digest, resumedAt } = await pushInChunks({
      url: proxy.url,
      repository: 'team/large',
      authorization,
      blob: createLargeLayer('large.bin', SIZE_BYTES),
      chunkBytes: CHUNK_BYTES,
      cutIn: [0, 3],
      between: async (number) => {
        if (number === 1) await restart();
      },
    });
    // The header of the tar file comes before the first whole chunk: so none begins at a round number.
    expect(resumedAt).toHaveLength(2);
    expect(resumedAt[0]).toBeGreaterThan(0);
    expect(resumedAt[0]).toBeLessThan(CHUNK_BYTES);
    expect(resumedAt[1]).toBeGreaterThan(3 * CHUNK_BYTES);
    expect(resumedAt[1]).toBeLessThan(4 * CHUNK_BYTES);

    const stored = await fetch(`${registry.url}/v2/acme/team/large/blobs/${digest}`, {
      method: 'HEAD',
      headers: { authorization: registry.authorization ?? '' },
    });
    expect(stored.status).toBe(200);
    const pulled = await digestBody(await openBlob(proxy, 'team/large', digest, authorization));
    expect(pulled.digest).toBe(digest);
    expect(readMemory(proxy.pid).peakBytes).toBeLessThan(MEMORY_LIMIT_BYTES);
  });
});
