import { connect, type Socket } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { DockerRegistry } from '../servers/index.ts';
import { type PushedImage, pushImage, pushLargeImage } from '../support/images.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { waitFor } from '../support/wait.ts';
import { digestBody, getManifest, openBlob, pullAuthorization } from './http-client.ts';
import { ALICE, SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';

const LARGE_BYTES = 256 * 1024 ** 2;
const SLOW_CONNECTIONS = 1000;
const SLOWLORIS_LIMIT_MS = 15_000;
const SLOWLORIS_DRIP_MS = 1000;
const RELOADS = 100;
const LOAD_CLIENTS = 8;

describe('a proxy in trouble', () => {
  const keep = useResources();
  let registry: DockerRegistry;
  let large: PushedImage;
  let app: PushedImage;

  beforeAll(async () => {
    const target = keep(await startPrivateRegistry());
    registry = target;
    large = await pushLargeImage(target, 'acme/team/large', 'v1', LARGE_BYTES);
    app = await pushImage(target, 'acme/team/app', 'v1');
  });

  async function start(server: Readonly<Record<string, unknown>> = {}): Promise<RunningProxy> {
    const proxy = await startProxy(siteConfiguration(registry, { server }), { files: SITE_FILES });
    onTestFinished(proxy.close);
    return proxy;
  }

  const openLarge = (proxy: RunningProxy, authorization: string) =>
    openBlob(proxy, 'team/large', large.manifests[0]?.layers[0] ?? '', authorization);

  it('SIGTERM lets a running pull end well, and turns new requests away', async () => {
    const proxy = await start();
    const authorization = await pullAuthorization(proxy, 'team/large', ALICE);
    const body = await openLarge(proxy, authorization);
    proxy.signal('SIGTERM');

    const refused = await waitFor('new requests to be turned away', async () => {
      const response = await getManifest(proxy, 'team/large', 'v1', authorization);
      return response.status === 200 ? undefined : response;
    });
    expect(refused.status).toBe(503);
    expect((await refused.json()) as object).toHaveProperty('errors');
    expect((await fetch(`${proxy.adminUrl}/readyz`)).status).toBe(503);

    const { digest } = await digestBody(body);
    expect(digest).toBe(large.manifests[0]?.layers[0]);
    expect(await proxy.exited).toEqual({ code: 0, signal: null });
  });

  it('SIGTERM ends a pull that does not end by itself within the grace period', async () => {
    const proxy = await start({ drainTimeout: '1s' });
    const authorization = await pullAuthorization(proxy, 'team/large', ALICE);
    const body = await openLarge(proxy, authorization);
    proxy.signal('SIGTERM');
    // Nothing is read until the proxy is gone.
    expect(await proxy.exited).toEqual({ code: 0, signal: null });
    await expect(digestBody(body)).rejects.toThrow();
  });

  it('1000 connections that never finish their header are closed, and pulls go on', async () => {
    const proxy = await start();
    const started = performance.now();
    const connections = await openSlowConnections(proxy, SLOW_CONNECTIONS);
    onTestFinished(() => {
      for (const { socket } of connections) socket.destroy();
    });
    const drip = setInterval(() => {
      for (const { socket } of connections) if (socket.writable) socket.write('x');
    }, SLOWLORIS_DRIP_MS);
    onTestFinished(() => clearInterval(drip));

    const authorization = await pullAuthorization(proxy, 'team/app', ALICE);
    let pulls = 0;
    let open = connections.length;
    for (const { closed } of connections) void closed.then(() => open--);
    while (open > 0 && performance.now() - started < 2 * SLOWLORIS_LIMIT_MS) {
      expect((await getManifest(proxy, 'team/app', app.digest, authorization)).status).toBe(200);
      pulls++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(open).toBe(0);
    expect(performance.now() - started).toBeLessThan(SLOWLORIS_LIMIT_MS);
    expect(pulls).toBeGreaterThan(1);
  });

  it('100 reloads under load lose no request', async () => {
    const proxy = await start();
    const authorization = await pullAuthorization(proxy, 'team/app', ALICE);
    const statuses = new Map<string, number>();
    const stop = new AbortController();
    const load = Array.from({ length: LOAD_CLIENTS }, async () => {
      while (!stop.signal.aborted) {
        const outcome = await getManifest(proxy, 'team/app', 'v1', authorization).then(
          async (response) => `${response.status} ${(await response.arrayBuffer()).byteLength > 0}`,
          (error: unknown) => String(error),
        );
        statuses.set(outcome, (statuses.get(outcome) ?? 0) + 1);
      }
    });
    for (let reload = 1; reload <= RELOADS; reload++) {
      // Each version differs, in the limits of an upstream too, so that nothing may be kept as it was.
      await proxy.configure(siteConfiguration(registry, { upstream: { connections: 100 + reload } }));
      proxy.signal('SIGHUP');
      await waitFor(`reload ${reload}`, async () =>
        (await appliedReloads(proxy)) >= reload ? true : undefined,
      );
    }
    stop.abort();
    await Promise.all(load);
    expect([...statuses.keys()]).toEqual(['200 true']);
    expect(statuses.get('200 true')).toBeGreaterThan(RELOADS);
  });
});

interface SlowConnection {
  readonly socket: Socket;
  readonly closed: Promise<void>;
}

function openSlowConnections(proxy: RunningProxy, count: number): Promise<SlowConnection[]> {
  const { hostname, port } = new URL(proxy.url);
  const open = () =>
    new Promise<SlowConnection>((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      const closed = new Promise<void>((done) => socket.once('close', () => done()));
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.on('error', () => undefined);
        // Read, so that the end is noticed.
        socket.resume();
        socket.write('GET /v2/ HTTP/1.1\r\nHost: slow\r\nX-Slow: ');
        resolve({ socket, closed });
      });
    });
  return Promise.all(Array.from({ length: count }, open));
}

async function appliedReloads(proxy: RunningProxy): Promise<number> {
  const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text();
  const [, count = '0'] = /^drp_config_reloads_total\{outcome="applied"\} (\d+)/m.exec(metrics) ?? [];
  return Number(count);
}
