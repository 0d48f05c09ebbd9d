import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { IssuedCertificate } from '../../../support/certificates.ts';

/** A request as it came in. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** An HTTP server on loopback that remembers everything, and is gone after the running test. */
export interface TestServer {
  readonly origin: string;
  readonly port: number;
  readonly requests: readonly SeenRequest[];
  /** Connections that were ever made to it. */
  readonly connectionCount: number;
  /** Resolves when no connection to it is open. */
  allClosed(): Promise<void>;
  /** Ends every connection that carries no request. */
  closeIdle(): void;
}

export async function startServer(
  listener: RequestListener,
  certificate?: IssuedCertificate,
  host = '127.0.0.1',
): Promise<TestServer> {
  const requests: SeenRequest[] = [];
  const open = new Set<Socket>();
  const waiting = new Set<() => void>();
  let connectionCount = 0;
  const record: RequestListener = (request, response) => {
    requests.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers });
    listener(request, response);
  };
  const server: Server = certificate
    ? createTlsServer({ cert: certificate.certificatePem, key: certificate.keyPem }, record)
    : createServer(record);
  // A listener that reads a body has to ask for it, where the client waits for that.
  server.on('checkContinue', record);
  server.keepAliveTimeout = 60_000;
  server.on(certificate ? 'secureConnection' : 'connection', (socket: Socket) => {
    connectionCount += 1;
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      open.delete(socket);
      if (open.size === 0) for (const resolve of waiting) resolve();
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${certificate ? 'https' : 'http'}://${host}:${port}`,
    port,
    requests,
    get connectionCount() {
      return connectionCount;
    },
    allClosed: () => (open.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.add(resolve))),
    closeIdle: () => server.closeIdleConnections(),
  };
}
