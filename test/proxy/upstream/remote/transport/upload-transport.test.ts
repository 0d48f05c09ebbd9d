import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemHostLookup } from '../../../../../src/network/index.ts';
import { UpstreamError } from '../../../../../src/proxy/upstream/index.ts';
import {
  createUploadTransport,
  type Transport,
  type TransportRequest,
} from '../../../../../src/proxy/upstream/remote/transport/index.ts';
import { createCertificateAuthority } from '../../../../support/certificates.ts';
import { readAll, signal } from '../../support/connect.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { pieces, readSome } from '../../support/upload-registry.ts';

const MIB = 1024 * 1024;

type Act = (request: IncomingMessage, response: ServerResponse) => unknown;

let server: TestServer;
let act: Act;
let arrived: IncomingMessage | undefined;

beforeEach(async () => {
  arrived = undefined;
  server = await startServer((request, response) => {
    arrived = request;
    // A connection that breaks is no fault of the server.
    void Promise.resolve(act(request, response)).catch(() => {});
  });
});

/** A server that reads nothing sees no connection close. */
async function connectionClosed(): Promise<void> {
  arrived?.on('error', () => {}).resume();
  await server.allClosed();
}

function transportOf(
  more: {
    progressTimeoutMs?: number;
    answerTimeoutMs?: number;
    continueTimeoutMs?: number;
    ca?: string;
  } = {},
): Transport {
  const transport = createUploadTransport({
    connectTimeoutMs: 5000,
    answerTimeoutMs: more.answerTimeoutMs ?? 5000,
    progressTimeoutMs: more.progressTimeoutMs ?? 5000,
    connections: 10,
    continueTimeoutMs: more.continueTimeoutMs ?? 5000,
    certificateAuthority: more.ca,
    resolve: systemHostLookup,
  });
  onTestFinished(() => transport.close());
  return transport;
}

function put(bytes: AsyncIterable<Uint8Array>, more: Partial<TransportRequest> = {}): TransportRequest {
  return {
    url: new URL('/upload', server.origin),
    trust: 'own',
    method: 'PUT',
    headers: {},
    body: { sizeBytes: undefined, bytes },
    signal: signal(),
    ...more,
  };
}

/** So many pieces of 64 KiB, and how many were asked for. */
function counted(count: number) {
  const source = {
    taken: 0,
    ended: false,
    async *[Symbol.asyncIterator]() {
      try {
        for (; source.taken < count; source.taken += 1) yield Buffer.alloc(65_536);
      } finally {
        source.ended = true;
      }
    },
  };
  return source;
}

const takeAll: Act = async (request, response) => {
  response.writeContinue();
  for await (const _ of request);
  response.writeHead(201).end('done');
};

describe('a body that is sent while it comes', () => {
  it('arrives whole, in order, with its length where that is known', async () => {
    let seen = Buffer.alloc(0);
    act = async (request, response) => {
      response.writeContinue();
      for await (const chunk of request) seen = Buffer.concat([seen, chunk as Buffer]);
      response.writeHead(201).end('done');
    };
    const body = { sizeBytes: 6, bytes: pieces('abc', 'def') };
    const answer = await transportOf().request(put(body.bytes, { body }));
    expect([answer.status, String(await readAll(answer.body)), String(seen)]).toEqual([
      201,
      'done',
      'abcdef',
    ]);
    expect(server.requests[0]?.headers).toMatchObject({ 'content-length': '6', expect: '100-continue' });
  });

  it('over TLS, with the certificates of the upstream', async () => {
    const authority = await createCertificateAuthority();
    server = await startServer(takeAll, await authority.issue(['127.0.0.1']));
    const transport = transportOf({ ca: authority.certificatePem });
    const answer = await transport.request(put(pieces('abc')));
    expect(answer.status).toBe(201);
    answer.discard();
    await expect(transportOf().request(put(pieces('abc')))).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('is not begun when the answer is no, and can be sent with the next request', async () => {
    let asked = 0;
    act = (_request, response) => {
      asked += 1;
      response.writeHead(asked === 1 ? 401 : 403).end();
    };
    const source = counted(3);
    const transport = transportOf();
    for (const status of [401, 403]) {
      const answer = await transport.request(put(source));
      expect(answer.status).toBe(status);
      answer.discard();
    }
    expect(source.taken).toBe(0);
  });

  it('goes unasked to a server that does not ask, and from then on without waiting', async () => {
    act = async (request, response) => {
      for await (const _ of request);
      response.writeHead(201).end();
    };
    const transport = transportOf({ continueTimeoutMs: 50 });
    for (let number = 0; number < 2; number += 1) (await transport.request(put(pieces('abc')))).discard();
    expect(server.requests.map(({ headers }) => headers.expect)).toEqual(['100-continue', undefined]);
  });

  it('goes unasked to a server that will not be asked (417)', async () => {
    act = async (request, response) => {
      if (request.headers.expect) return response.writeHead(417).end();
      for await (const _ of request);
      return response.writeHead(201).end();
    };
    const answer = await transportOf().request(put(pieces('abc')));
    expect(answer.status).toBe(201);
    answer.discard();
  });

  it('is ended by an answer that comes too early, and that answer is told', async () => {
    act = async (request, response) => {
      response.writeContinue();
      await readSome(request, MIB);
      response.writeHead(413).end('too large');
    };
    const source = counted(10_000);
    const answer = await transportOf().request(put(source));
    expect([answer.status, String(await readAll(answer.body))]).toEqual([413, 'too large']);
    expect(source.taken).toBeLessThan(1000);
    await connectionClosed();
    await expect.poll(() => source.ended, { timeout: 10_000 }).toBe(true);
  });

  it('is asked for no faster than it is taken', async () => {
    act = (_request, response) => response.writeContinue();
    const source = counted(10_000);
    const ending = new AbortController();
    const request = transportOf().request(put(source, { signal: ending.signal }));
    // What the sockets hold, and no more: nothing is taken while nothing is read.
    let before = -1;
    while (before !== source.taken) {
      before = source.taken;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(source.taken).toBeLessThan(500);
    ending.abort(new Error('enough'));
    await expect(request).rejects.toThrow('enough');
    await connectionClosed();
  });

  it('that nobody takes any more is given up', async () => {
    act = (_request, response) => response.writeContinue();
    const request = transportOf({ progressTimeoutMs: 200 }).request(put(counted(10_000)));
    await expect(request).rejects.toMatchObject({ kind: 'unreachable' });
    await connectionClosed();
  });

  it('that is never answered is given up', async () => {
    act = async (request, response) => {
      response.writeContinue();
      request.resume();
    };
    const request = transportOf({ answerTimeoutMs: 200 }).request(put(pieces('abc')));
    await expect(request).rejects.toMatchObject({ kind: 'unreachable' });
    await connectionClosed();
  });

  it('whose source fails ends the request, and it is the source that is blamed', async () => {
    act = (request, response) => {
      response.writeContinue();
      request.on('error', () => {}).resume();
    };
    async function* failing() {
      yield Buffer.from('abc');
      throw new Error('the client is gone');
    }
    await expect(transportOf().request(put(failing()))).rejects.toThrow('the client is gone');
    await connectionClosed();
  });

  it('that is shorter than it said ends the request', async () => {
    act = takeAll;
    const body = { sizeBytes: 10, bytes: pieces('abc') };
    const request = transportOf().request(put(body.bytes, { body }));
    await expect(request).rejects.toMatchObject({ kind: 'unreachable', message: /3 bytes instead of 10/ });
    await connectionClosed();
  });

  it('that breaks off at the other side is a fault to try again after', async () => {
    act = async (request, response) => {
      response.writeContinue();
      await readSome(request, 1000);
      request.socket.resetAndDestroy();
    };
    await expect(transportOf().request(put(counted(10_000)))).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('goes to no private address that only an answer named', async () => {
    const request = put(counted(1), { trust: 'public', url: new URL('https://127.0.0.1/x') });
    const error: unknown = await transportOf()
      .request(request)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UpstreamError);
    expect(error).toMatchObject({ kind: 'unsafe' });
  });

  it('may use its memory again after each chunk', async () => {
    const seen: Buffer[] = [];
    act = async (request, response) => {
      response.writeContinue();
      request.pause();
      setTimeout(() => request.resume(), 20);
      request.on('data', (chunk: Buffer) => seen.push(chunk));
      await once(request, 'end');
      response.writeHead(201).end();
    };
    const memory = Buffer.alloc(65_536);
    async function* reusing() {
      for (let value = 0; value < 200; value += 1) yield memory.fill(value);
    }
    (await transportOf().request(put(reusing()))).discard();
    const whole = Buffer.concat(seen);
    const wrong = Array.from({ length: 200 }, (_, value) =>
      whole.subarray(value * memory.length, (value + 1) * memory.length).every((byte) => byte === value),
    ).indexOf(false);
    expect({ length: whole.length, wrong }).toEqual({ length: 200 * memory.length, wrong: -1 });
  });
});
