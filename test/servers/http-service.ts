import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that a service has read. */
export interface ServiceRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface ServiceAnswer {
  readonly status: number;
  /** Text as it is; anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Undefined leaves the request without an answer. */
export type ServiceHandler = (
  request: ServiceRequest,
) => ServiceAnswer | undefined | Promise<ServiceAnswer | undefined>;

/** A small service on the loopback address. */
export interface HttpService {
  /** Such as `http://127.0.0.1:40001`. */
  readonly origin: string;
  /** Such as `127.0.0.1:40001`. */
  readonly host: string;
  readonly received: readonly ServiceRequest[];
  /** Answers in the place of the service until it is called with undefined. */
  answerInstead(handler: ServiceHandler | undefined): void;
  close(): Promise<void>;
}

/** @param otherwise takes requests that the handler answers with 404, with their body unread */
export async function startHttpService(
  handler: ServiceHandler,
  otherwise?: {
    readonly takes: (url: URL) => boolean;
    readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  },
): Promise<HttpService> {
  const received: ServiceRequest[] = [];
  let instead: ServiceHandler | undefined;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://service.test');
    if (otherwise?.takes(url)) {
      otherwise.handle(request, response);
      return;
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    const read = { method: request.method ?? '', url, headers: request.headers, body };
    received.push(read);
    const reply = await (instead ?? handler)(read);
    if (!reply) return;
    const isText = typeof reply.body === 'string';
    response
      .writeHead(reply.status, {
        'content-type': isText ? 'text/html; charset=UTF-8' : 'application/json',
        ...reply.headers,
      })
      .end(isText ? reply.body : JSON.stringify(reply.body ?? {}));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin: `http://${host}`,
    host,
    received,
    answerInstead: (replacement) => {
      instead = replacement;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
