import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from '../telemetry/index.ts';
import { parseListenAddress } from './registry/index.ts';

export interface AdminServer {
  /** @returns the port. */
  listen(): Promise<number>;
  close(): Promise<void>;
}

export interface AdminServerDependencies {
  readonly metrics: Metrics;
  /** Whether clients should be sent here. */
  readonly ready: () => boolean;
}

const HEADER_TIMEOUT_MS = 10_000;
const MAXIMUM_CONNECTIONS = 100;

/** What operators and probes ask: `/healthz` (the process runs), `/readyz` (clients may come), `/metrics`. */
export function createAdminServer(address: string, { metrics, ready }: AdminServerDependencies): AdminServer {
  const answers: Readonly<Record<string, () => Promise<[status: number, type: string, body: string]>>> = {
    '/healthz': async () => [200, 'text/plain', 'ok\n'],
    '/readyz': async () =>
      ready() ? [200, 'text/plain', 'ready\n'] : [503, 'text/plain', 'shutting down\n'],
    '/metrics': async () => [200, metrics.registry.contentType, await metrics.registry.metrics()],
  };
  const server = createServer({ headersTimeout: HEADER_TIMEOUT_MS }, (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    const answer =
      Object.hasOwn(answers, path) && /^(?:GET|HEAD)$/.test(request.method ?? '') ? answers[path] : undefined;
    (answer ?? notHere)().then(
      ([status, type, body]) => response.writeHead(status, { 'Content-Type': type }).end(body),
      () => response.writeHead(500).end(),
    );
  });
  server.maxConnections = MAXIMUM_CONNECTIONS;
  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(parseListenAddress(address), () => resolve((server.address() as AddressInfo).port));
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function notHere(): Promise<[number, string, string]> {
  return [404, 'text/plain', 'here are /healthz, /readyz and /metrics\n'];
}
