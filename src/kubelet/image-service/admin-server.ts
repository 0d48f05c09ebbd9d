import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ListeningSocket, listenOnSocket } from './listen/index.ts';
import type { ImageServiceMetrics } from './metrics.ts';
import type { ImageServiceOptions } from './options.ts';

const HEADER_TIMEOUT_MS = 10_000;
const PROBE_TIMEOUT_MS = 5000;
const MOST_CONNECTIONS = 100;

export interface AdminDependencies {
  readonly metrics: ImageServiceMetrics;
  /** Rejects when the runtime does not answer, with a message that may be shown. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
}

/** What operators and probes ask: `/healthz` (the process runs), `/readyz` (the runtime does its work), `/metrics`. */
export interface AdminServer {
  /** The port of `adminAddress`. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

type Reply = readonly [status: number, type: string, body: string];

export async function startAdminServer(
  { adminAddress, adminSocket }: Pick<ImageServiceOptions, 'adminAddress' | 'adminSocket'>,
  { metrics, probe }: AdminDependencies,
): Promise<AdminServer> {
  const replies: ReadonlyMap<string, () => Promise<Reply>> = new Map([
    ['/healthz', async (): Promise<Reply> => [200, 'text/plain', 'ok\n']],
    ['/readyz', () => readiness(probe)],
    [
      '/metrics',
      async (): Promise<Reply> => [200, metrics.registry.contentType, await metrics.registry.metrics()],
    ],
  ]);

  function create() {
    const server = createServer({ headersTimeout: HEADER_TIMEOUT_MS }, (request, response) => {
      const path = request.url?.split('?')[0] ?? '';
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const reply = (isRead ? replies.get(path) : undefined) ?? notHere;
      reply().then(
        ([status, type, body]) => response.writeHead(status, { 'Content-Type': type }).end(body),
        () => response.writeHead(500).end(),
      );
    });
    server.maxConnections = MOST_CONNECTIONS;
    return server;
  }

  const onSocket = create();
  const onAddress = create();
  let socket: ListeningSocket | undefined;
  let port: number | undefined;
  if (adminSocket !== undefined) socket = await listenOnSocket(onSocket, adminSocket);
  if (adminAddress !== undefined) {
    port = await new Promise<number>((resolve, reject) => {
      onAddress.once('error', reject);
      onAddress.listen(splitAddress(adminAddress), () => resolve((onAddress.address() as AddressInfo).port));
    });
  }
  return {
    port,
    async close() {
      await socket?.close();
      onAddress.close();
      for (const server of [onSocket, onAddress]) server.closeAllConnections();
    },
  };
}

async function readiness(probe: AdminDependencies['probe']): Promise<Reply> {
  try {
    await probe(AbortSignal.timeout(PROBE_TIMEOUT_MS));
    return [200, 'text/plain', 'ready\n'];
  } catch (error) {
    return [503, 'text/plain', `${(error instanceof Error && error.message) || 'not ready'}\n`];
  }
}

async function notHere(): Promise<Reply> {
  return [404, 'text/plain', 'here are /healthz, /readyz and /metrics\n'];
}

/** `host:port`; an IPv6 host stands in brackets. */
function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}
