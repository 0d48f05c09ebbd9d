import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came over the wire. */
export interface ServiceRequest {
  readonly method: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Names as they came, each value on its own. */
  readonly rawHeaders: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** The one value of a header; undefined when it is missing or came several times. */
  header(name: string): string | undefined;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A service of a cloud on the loopback address. */
export interface Service {
  readonly url: string;
  readonly requests: readonly ServiceRequest[];
  close(): Promise<void>;
}

/** @param answer undefined leaves the request without an answer */
export async function startService(
  answer: (request: ServiceRequest) => ServiceAnswer | undefined | Promise<ServiceAnswer | undefined>,
): Promise<Service> {
  const requests: ServiceRequest[] = [];
  const server: Server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const [path = '', query = ''] = splitOnce(incoming.url ?? '', '?');
    const rawHeaders = pairs(incoming.rawHeaders);
    const request: ServiceRequest = {
      method: incoming.method ?? '',
      path,
      query,
      rawHeaders,
      body: Buffer.concat(chunks),
      header(name) {
        const values = rawHeaders.filter(([key]) => key.toLowerCase() === name.toLowerCase());
        return values.length === 1 ? values[0]?.[1] : undefined;
      },
    };
    requests.push(request);
    const reply = await answer(request);
    if (reply) response.writeHead(reply.status, reply.headers).end(reply.body);
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    found.push([raw[index] ?? '', raw[index + 1] ?? '']);
  }
  return found;
}
