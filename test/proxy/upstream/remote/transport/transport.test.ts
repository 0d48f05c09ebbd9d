import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HostLookup } from '../../../../../src/network/index.ts';
import {
  createBulkTransport,
  createSmallTransport,
  type Transport,
  type Trust,
} from '../../../../../src/proxy/upstream/remote/transport/index.ts';
import { createCertificateAuthority } from '../../../../support/certificates.ts';
import { readAll, signal } from '../../support/connect.ts';
import { content } from '../../support/fake-registry.ts';
import { startServer } from '../../support/server.ts';

const DOORS = { bulk: createBulkTransport, small: createSmallTransport };
type Door = keyof typeof DOORS;
const BOTH: Door[] = ['bulk', 'small'];

interface Settings {
  answerTimeoutMs?: number;
  progressTimeoutMs?: number;
  connections?: number;
  certificateAuthority?: string;
  resolve?: HostLookup;
}

function open(door: Door, settings: Settings = {}): Transport {
  const transport = DOORS[door]({
    connectTimeoutMs: 5000,
    answerTimeoutMs: 5000,
    progressTimeoutMs: 5000,
    connections: 10,
    certificateAuthority: undefined,
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    now: () => performance.now(),
    ...settings,
  });
  onTestFinished(() => transport.close());
  return transport;
}

function get(transport: Transport, url: string, trust: Trust = 'own', abort = signal()) {
  return transport.request({
    method: 'GET',
    url: new URL(url),
    trust,
    headers: { 'x-test': 'a' },
    signal: abort,
  });
}

async function readGet(transport: Transport, url: string): Promise<Buffer> {
  return readAll((await get(transport, url)).body);
}

/** A server that speaks bytes, not HTTP. @param answers one for each request on a connection */
async function startRawServer(...answers: string[]): Promise<{ origin: string; connections: Socket[] }> {
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    let index = 0;
    socket.on('error', () => {});
    socket.on('data', () => {
      socket.write(Buffer.from(answers[index++] ?? '', 'latin1'));
      if (index === answers.length) socket.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections };
}

/** A number once it has stood still for many turns of the event loop, which both ends share. */
async function settled(read: () => number): Promise<number> {
  let value = read();
  for (let quiet = 0; quiet < 100; quiet += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (read() !== value) quiet = 0;
    value = read();
  }
  return value;
}

const echoPath: RequestListener = (request, response) => void response.end(request.url);

describe.each(BOTH)('the %s transport', (door) => {
  it('sends what it is told and gives back what came', async () => {
    const server = await startServer((_request, response) => {
      response.writeHead(418, { 'x-answer': 'b', link: ['<1>', '<2>'] }).end('short and stout');
    });
    const answer = await get(open(door), `${server.origin}/v2/a%20b?c=d`);
    expect(server.requests[0]).toMatchObject({ method: 'GET', path: '/v2/a%20b?c=d' });
    expect(server.requests[0]?.headers).toMatchObject({ 'x-test': 'a', host: `127.0.0.1:${server.port}` });
    expect(answer.status).toBe(418);
    expect(answer.headers.get('x-answer')).toBe('b');
    expect(answer.headers.all('link').join()).toContain('<2>');
    expect((await readAll(answer.body)).toString()).toBe('short and stout');
  });

  it('uses a connection again', async () => {
    const server = await startServer(echoPath);
    const transport = open(door);
    for (let index = 0; index < 5; index += 1) {
      expect((await readGet(transport, `${server.origin}/${index}`)).toString()).toBe(`/${index}`);
    }
    // undici gives a connection free a moment after the end of an answer.
    expect(server.connectionCount).toBeLessThanOrEqual(door === 'bulk' ? 1 : 2);
  });

  it('uses a connection again after an answer that was discarded', async () => {
    const server = await startServer(echoPath);
    const transport = open(door, { connections: 1 });
    for (let index = 0; index < 5; index += 1) (await get(transport, server.origin)).discard();
    expect((await readGet(transport, `${server.origin}/x`)).toString()).toBe('/x');
    expect(server.connectionCount).toBe(1);
  });

  it('makes no more connections than it may, and lets the others wait', async () => {
    let running = 0;
    let most = 0;
    const server = await startServer((_request, response) => {
      running += 1;
      most = Math.max(most, running);
      setImmediate(() => {
        running -= 1;
        response.end('x');
      });
    });
    const transport = open(door, { connections: 3 });
    await Promise.all(Array.from({ length: 30 }, () => readGet(transport, server.origin)));
    expect(most).toBeLessThanOrEqual(3);
    expect(server.connectionCount).toBeLessThanOrEqual(3);
  });

  it('takes one who waits out of the queue when it gives up', async () => {
    const server = await startServer(() => {});
    const transport = open(door, { connections: 1 });
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [
      get(transport, server.origin, 'own', first.signal),
      get(transport, server.origin, 'own', second.signal),
    ];
    const ended = Promise.allSettled(calls);
    second.abort(new Error('second gone'));
    first.abort(new Error('first gone'));
    expect(await ended).toMatchObject([
      { reason: { message: 'first gone' } },
      { reason: { message: 'second gone' } },
    ]);
    await server.allClosed();
  });

  it('gives no connection to one who gave up while waiting', async () => {
    let arrive: (answer: () => void) => void;
    const arrived = new Promise<() => void>((resolve) => {
      arrive = resolve;
    });
    const server = await startServer((request, response) => {
      if (request.url === '/first') arrive(() => void response.end('first'));
      else response.end('other');
    });
    const transport = open(door, { connections: 1 });
    const first = readGet(transport, `${server.origin}/first`);
    const gone = new AbortController();
    const second = get(transport, `${server.origin}/second`, 'own', gone.signal).catch(
      (error: Error) => error.message,
    );
    const answer = await arrived;
    gone.abort(new Error('gone'));
    expect(await second).toBe('gone');
    answer();
    await first;
    expect((await readGet(transport, `${server.origin}/third`)).toString()).toBe('other');
    expect(server.requests.map(({ path }) => path)).toEqual(['/first', '/third']);
  });

  it('does not wait for ever for an answer', async () => {
    const server = await startServer(() => {});
    const call = get(open(door, { answerTimeoutMs: 50 }), server.origin);
    await expect(call).rejects.toMatchObject({ kind: 'unreachable' });
    await server.allClosed();
  });

  it('does not wait for ever for the rest of a body', async () => {
    const server = await startServer((_request, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('x');
    });
    const answer = await get(open(door, { progressTimeoutMs: 50 }), server.origin);
    await expect(readAll(answer.body)).rejects.toMatchObject({ kind: 'unreachable' });
    await server.allClosed();
  });

  it('is unreachable when nobody listens', async () => {
    const { origin } = await startRawServer();
    const port = Number(new URL(origin).port);
    const closed = `http://127.0.0.1:${port === 1 ? 2 : 1}`;
    await expect(get(open(door), closed)).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('never connects to a private address that only an upstream named', async () => {
    const server = await startServer(echoPath);
    const transport = open(door, {
      resolve: async () => [
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ],
    });
    for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', 'rebound.example.com', 'localhost']) {
      const call = get(transport, `https://${host}:${server.port}/`, 'public');
      await expect(call).rejects.toMatchObject({ kind: 'unsafe' });
    }
    expect(server.connectionCount).toBe(0);
  });

  it('dials the address that was checked, and asks for it once', async () => {
    const server = await startServer(echoPath);
    const asked: string[] = [];
    const transport = open(door, {
      resolve: async (hostname) => {
        asked.push(hostname);
        return [{ address: '127.0.0.1', family: 4 }];
      },
    });
    const url = `http://registry.example.com:${server.port}/x`;
    const answer = await get(transport, url, 'listed');
    expect((await readAll(answer.body)).toString()).toBe('/x');
    expect(asked).toEqual(['registry.example.com']);
  });

  it('speaks TLS, and believes the authority it was given alone', async () => {
    const authority = await createCertificateAuthority();
    const certificate = await authority.issue(['registry.example.com', '127.0.0.1']);
    const body = content(2_000_000);
    const server = await startServer((_request, response) => void response.end(body), certificate);
    const transport = open(door, { certificateAuthority: authority.certificatePem });
    for (const host of ['registry.example.com', '127.0.0.1']) {
      expect(body.equals(await readGet(transport, `https://${host}:${server.port}/`))).toBe(true);
    }
    const stranger = await createCertificateAuthority();
    const others = [open(door), open(door, { certificateAuthority: stranger.certificatePem })];
    for (const other of others) {
      await expect(get(other, server.origin)).rejects.toMatchObject({ kind: 'unreachable' });
    }
    const wrongName = get(transport, `https://other.example.com:${server.port}/`);
    await expect(wrongName).rejects.toMatchObject({ kind: 'unreachable' });
    expect(server.requests).toHaveLength(2);
  });

  it('ends idle connections when it is closed', async () => {
    const server = await startServer(echoPath);
    const transport = open(door);
    await readGet(transport, server.origin);
    await transport.close();
    await server.allClosed();
  });

  it('is faulty where the other side does not speak HTTP', async () => {
    const { origin } = await startRawServer('SSH-2.0-OpenSSH_9.2\r\n\r\n');
    await expect(get(open(door), origin)).rejects.toMatchObject({ kind: 'faulty' });
  });

  it('is faulty where two lengths are said', async () => {
    const { origin } = await startRawServer(
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    );
    await expect(get(open(door), origin)).rejects.toMatchObject({ kind: 'faulty' });
  });

  it('skips interim answers', async () => {
    const { origin } = await startRawServer(
      'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    );
    expect((await readGet(open(door), origin)).toString()).toBe('ok');
  });

  it('reads a body that ends with its connection', async () => {
    const { origin } = await startRawServer('HTTP/1.0 200 OK\r\n\r\nall of it');
    expect((await readGet(open(door), origin)).toString()).toBe('all of it');
  });
});

describe('the bulk transport alone', () => {
  it('turns away who has waited for a connection as long as for an answer', async () => {
    const server = await startServer((_request, response) => void response.write('an answer that goes on'));
    const transport = open('bulk', { connections: 1, answerTimeoutMs: 300 });
    const first = await get(transport, server.origin);
    await expect(get(transport, server.origin)).rejects.toMatchObject({
      kind: 'unreachable',
      retryAfter: '1',
    });
    first.discard();
    await server.allClosed();
    expect((await get(transport, server.origin)).status).toBe(200);
  });

  it('sends again, on a new connection, what met a connection that had just ended', async () => {
    const first = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na';
    let count = 0;
    const { origin, connections } = await startRawServer(first, '');
    const transport = open('bulk');
    // The server ends the connection when the second request comes, without a byte of an answer.
    for (; count < 3; count += 1) expect((await readGet(transport, origin)).toString()).toBe('a');
    expect(connections).toHaveLength(3);
  });

  it('does not use a connection again on which something came unasked', async () => {
    const first = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na';
    const { origin, connections } = await startRawServer(`${first}HTTP/1.1 200 OK`, 'unused');
    const transport = open('bulk');
    expect((await readGet(transport, origin)).toString()).toBe('a');
    expect((await readGet(transport, origin)).toString()).toBe('a');
    expect(connections).toHaveLength(2);
  });

  it.each(['while the answer is read', 'afterwards'])('nor on which it came %s', async (when) => {
    let intrude = () => {};
    const server = await startServer((_request, response) => {
      const { socket } = response;
      intrude = () => void socket?.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nplanted');
      response.writeHead(200, { 'content-length': 4 }).end('good');
    });
    const transport = open('bulk');
    const answer = await get(transport, server.origin);
    for await (const _ of answer.body) {
      if (when !== 'while the answer is read') continue;
      intrude();
      await settled(() => 0);
    }
    if (when === 'afterwards') {
      intrude();
      await settled(() => 0);
    }
    expect((await readGet(transport, server.origin)).toString()).toBe('good');
    expect(server.connectionCount).toBe(2);
  });

  it.each([
    ['a folded header', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 1\r\n\r\na'],
    ['both framings', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n'],
    ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['nothing but interim answers', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(20)],
    ['a head without end', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(80_000)}`],
  ])('refuses an answer with %s', async (_what, text) => {
    const { origin } = await startRawServer(text);
    await expect(get(open('bulk'), origin)).rejects.toMatchObject({ kind: 'faulty' });
  });

  it('ends a connection whose answer nobody reads', async () => {
    const body = content(3_000_000);
    const server = await startServer((_request, response) => void response.end(body));
    await get(open('bulk', { progressTimeoutMs: 50 }), server.origin);
    await server.allClosed();
  });

  it('reads no further than its buffers while the reader stands still', async () => {
    let sent = 0;
    const piece = Buffer.alloc(64 * 1024);
    const server = await startServer((_request, response) => {
      const send = () => {
        while (sent < 400) {
          sent += 1;
          if (!response.write(piece)) return;
        }
      };
      response.writeHead(200, { 'content-length': 400 * piece.length });
      response.on('drain', send);
      response.on('close', () => response.removeAllListeners('drain'));
      send();
    });
    const answer = await get(open('bulk'), server.origin);
    let stalled = 0;
    let count = 0;
    for await (const chunk of answer.body) {
      count += chunk.length;
      if (count < 1_000_000) continue;
      stalled = await settled(() => sent);
      break;
    }
    expect(stalled).toBeGreaterThan(10);
    expect(stalled).toBeLessThan(400);
    await server.allClosed();
  });
});
