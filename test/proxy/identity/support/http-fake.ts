import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { IssuedCertificate } from '../../../support/certificates.ts';

/** A request that a fake has read. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface FakeAnswer {
  readonly status: number;
  /** Text as it is; anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A service on the loopback address. */
export interface HttpFake {
  readonly url: string;
  readonly received: Received[];
  /** From now on connections are refused. */
  stop(): Promise<void>;
}

/**
 * Starts a service that ends with the running test.
 * @param answer undefined leaves the request without an answer
 */
export async function startFake(
  answer: (request: Received) => FakeAnswer | undefined | Promise<FakeAnswer | undefined>,
  tls?: IssuedCertificate,
): Promise<HttpFake> {
  const received: Received[] = [];
  const listener: RequestListener = async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method = '', url: path = '', headers } = request;
    const read = { method, path, headers, body };
    received.push(read);
    const reply = await answer(read);
    if (!reply) return;
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {});
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(text);
  };
  const server = tls
    ? createTlsServer({ cert: tls.certificatePem, key: tls.keyPem }, listener)
    : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(stop);
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, received, stop };
}
