import { describe, expect, it } from 'vitest';
import { connect, REPOSITORY, readAll, signal } from '../../support/connect.ts';
import {
  content,
  type FakeRegistry,
  sendBlob,
  sendThenReset,
  sha256,
  startFakeRegistry,
} from '../../support/fake-registry.ts';

const BLOB = content(300_000);
const DIGEST = sha256(BLOB);

async function registryWithBlob(): Promise<FakeRegistry> {
  const registry = await startFakeRegistry();
  registry.addBlob(BLOB);
  return registry;
}

async function getBlob(registry: FakeRegistry, options: Parameters<typeof connect>[1] = {}) {
  const connected = connect(registry.origin, options);
  const answer = await connected.upstream.blob(REPOSITORY, DIGEST, { delivery: 'stream', signal: signal() });
  if (answer.type !== 'content') throw new Error('redirected');
  return { ...connected, answer };
}

function rangesOf(registry: FakeRegistry): (string | undefined)[] {
  return registry.requests.map(({ headers }) => headers.range);
}

describe('a whole blob', () => {
  it('comes with its size and media type', async () => {
    const { answer } = await getBlob(await registryWithBlob());
    expect(answer).toMatchObject({
      sizeBytes: BLOB.length,
      part: undefined,
      mediaType: 'application/octet-stream',
    });
    expect(BLOB.equals(await readAll(answer.body))).toBe(true);
  });

  it('may be empty', async () => {
    const registry = await startFakeRegistry();
    const digest = registry.addBlob(Buffer.alloc(0));
    const { upstream } = connect(registry.origin);
    const answer = await upstream.blob(REPOSITORY, digest, { delivery: 'stream', signal: signal() });
    expect(answer.type === 'content' && (await readAll(answer.body)).length).toBe(0);
  });

  it.each([true, false])('may come chunked (verify: %s)', async (verify) => {
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (_request, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' });
      for (let start = 0; start < BLOB.length; start += 7001)
        response.write(BLOB.subarray(start, start + 7001));
      response.end();
    });
    const { answer } = await getBlob(registry, { verify });
    expect(answer.sizeBytes).toBeUndefined();
    expect(BLOB.equals(await readAll(answer.body))).toBe(true);
  });

  it('that has a wrong byte breaks before its end', async () => {
    const wrong = Buffer.from(BLOB);
    wrong.writeUInt8(wrong.readUInt8(150_000) ^ 1, 150_000);
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (request, response) => sendBlob(wrong, request, response));
    const { answer } = await getBlob(registry);
    let count = 0;
    const read = async () => {
      for await (const chunk of answer.body) count += chunk.length;
    };
    await expect(read()).rejects.toMatchObject({ kind: 'faulty' });
    expect(count).toBeLessThan(BLOB.length);
  });

  it.each([
    ['shorter', BLOB.subarray(0, 100)],
    ['longer', Buffer.concat([BLOB, Buffer.from('x')])],
  ])('that is %s than it should be, and says so, is faulty', async (_how, wrong) => {
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (request, response) => sendBlob(wrong, request, response));
    const { answer } = await getBlob(registry);
    await expect(readAll(answer.body)).rejects.toMatchObject({ kind: 'faulty' });
  });

  it('that is not checked passes with a wrong byte', async () => {
    const wrong = Buffer.from(BLOB);
    wrong.writeUInt8(wrong.readUInt8(7) ^ 1, 7);
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (request, response) => sendBlob(wrong, request, response));
    const { answer } = await getBlob(registry, { verify: false });
    expect(wrong.equals(await readAll(answer.body))).toBe(true);
  });

  it.each([
    [404, 'not-found'],
    [403, 'refused'],
    [500, 'faulty'],
    [206, 'faulty'],
    [204, 'faulty'],
  ])('answered %i is %s', async (status, kind) => {
    const registry = await registryWithBlob();
    registry.script((_request, response) => void response.writeHead(status).end());
    await expect(getBlob(registry)).rejects.toMatchObject({ kind });
  });
});

describe('a blob that breaks off', () => {
  it('is taken up again with a closed range, and the reader sees nothing', async () => {
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (_request, response) => sendThenReset(BLOB, 100_000, response));
    const { answer, recoveries } = await getBlob(registry);
    expect(BLOB.equals(await readAll(answer.body))).toBe(true);
    expect(rangesOf(registry)).toEqual([undefined, 'bytes=100000-299999']);
    expect(await recoveries('resume')).toBe(1);
  });

  it('is taken up again when the connection ends cleanly but too early', async () => {
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (_request, response) => {
      response.writeHead(200, { 'content-length': BLOB.length });
      response.write(BLOB.subarray(0, 5), () => response.socket?.end());
    });
    const { answer } = await getBlob(registry);
    expect(BLOB.equals(await readAll(answer.body))).toBe(true);
  });

  it('is taken up again when nothing comes for too long', async () => {
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (_request, response) => {
      response.writeHead(200, { 'content-length': BLOB.length });
      response.write(BLOB.subarray(0, 1000));
    });
    const { answer } = await getBlob(registry, { progressTimeout: '50ms' });
    expect(BLOB.equals(await readAll(answer.body))).toBe(true);
    expect(rangesOf(registry)).toEqual([undefined, 'bytes=1000-299999']);
  });

  it('is skipped through by a registry that ignores ranges', async () => {
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (_request, response) => sendThenReset(BLOB, 100_000, response));
    registry.next(1, '/blobs/', (_request, response) => {
      response.writeHead(200, { 'content-length': BLOB.length }).end(BLOB);
    });
    const { answer } = await getBlob(registry);
    expect(BLOB.equals(await readAll(answer.body))).toBe(true);
  });

  it('is taken up again with an open range when its size was never said', async () => {
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (_request, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' });
      response.write(BLOB.subarray(0, 1000), () => response.socket?.resetAndDestroy());
    });
    const { answer } = await getBlob(registry);
    expect(BLOB.equals(await readAll(answer.body))).toBe(true);
    expect(rangesOf(registry)).toEqual([undefined, 'bytes=1000-']);
  });

  it('is given up after several failures without progress', async () => {
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (_request, response) => sendThenReset(BLOB, 10, response));
    registry.script((request, response) => {
      if (!request.url?.includes('/blobs/')) return false;
      response.socket?.resetAndDestroy();
      return true;
    });
    const { answer, recoveries } = await getBlob(registry);
    await expect(readAll(answer.body)).rejects.toMatchObject({ kind: 'unreachable' });
    expect(await recoveries('resume')).toBe(5);
  });

  it.each([
    ['another start', { 'content-range': `bytes 4-299999/300000`, 'content-length': '299996' }],
    ['another end', { 'content-range': `bytes 10-299998/300000`, 'content-length': '299989' }],
    ['another size', { 'content-range': `bytes 10-299999/400000`, 'content-length': '299990' }],
    ['no range', { 'content-length': '299990' }],
    ['another length', { 'content-range': `bytes 10-299999/300000`, 'content-length': '5' }],
  ])('is faulty when its rest has %s', async (_what, headers) => {
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (_request, response) => sendThenReset(BLOB, 10, response));
    registry.next(1, '/blobs/', (_request, response) => void response.writeHead(206, headers).end());
    const { answer } = await getBlob(registry);
    await expect(readAll(answer.body)).rejects.toMatchObject({ kind: 'faulty' });
  });
});

describe('a part of a blob', () => {
  const part = async (registry: FakeRegistry, range: { start: number; end?: number }) => {
    const { upstream } = connect(registry.origin);
    const answer = await upstream.blob(REPOSITORY, DIGEST, { delivery: 'stream', signal: signal(), range });
    if (answer.type !== 'content') throw new Error('redirected');
    return answer;
  };

  it.each([
    [
      { start: 10, end: 19 },
      { start: 10, end: 19 },
    ],
    [{ start: 299_990 }, { start: 299_990, end: 299_999 }],
    [
      { start: 5, end: 999_999 },
      { start: 5, end: 299_999 },
    ],
  ])('%j comes as %j', async (range, expected) => {
    const answer = await part(await registryWithBlob(), range);
    expect(answer).toMatchObject({ part: expected, sizeBytes: BLOB.length });
    expect(BLOB.subarray(expected.start, expected.end + 1).equals(await readAll(answer.body))).toBe(true);
  });

  it('is taken up again where it broke, and ends where it should', async () => {
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (_request, response) => {
      response.writeHead(206, { 'content-length': 1000, 'content-range': 'bytes 10-1009/300000' });
      response.write(BLOB.subarray(10, 20), () => response.socket?.resetAndDestroy());
    });
    registry.next(1, '/blobs/', (_request, response) => {
      response.writeHead(200, { 'content-length': BLOB.length }).end(BLOB);
    });
    const answer = await part(registry, { start: 10, end: 1009 });
    expect(BLOB.subarray(10, 1010).equals(await readAll(answer.body))).toBe(true);
    expect(rangesOf(registry)).toEqual(['bytes=10-1009', 'bytes=20-1009']);
  });

  it('comes as the whole from a registry that ignores ranges', async () => {
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (_request, response) => {
      response.writeHead(200, { 'content-length': BLOB.length }).end(BLOB);
    });
    const answer = await part(registry, { start: 10, end: 19 });
    expect(answer.part).toBeUndefined();
    expect(BLOB.equals(await readAll(answer.body))).toBe(true);
  });

  it('behind the end is a range error', async () => {
    await expect(part(await registryWithBlob(), { start: 300_000 })).rejects.toMatchObject({ kind: 'range' });
  });
});

describe('a reader that goes away', () => {
  it.each(['aborts', 'leaves the loop'])('frees the connection when it %s', async (how) => {
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (_request, response) => {
      response.writeHead(200, { 'content-length': BLOB.length });
      response.write(BLOB.subarray(0, 1000));
    });
    const { upstream } = connect(registry.origin);
    const controller = new AbortController();
    const answer = await upstream.blob(REPOSITORY, DIGEST, { delivery: 'stream', signal: controller.signal });
    if (answer.type !== 'content') throw new Error('redirected');
    const read = async () => {
      for await (const _ of answer.body) {
        if (how === 'leaves the loop') return;
        controller.abort(new Error('gone'));
      }
    };
    if (how === 'aborts') await expect(read()).rejects.toThrow('gone');
    else await read();
    await registry.allClosed();
    expect(registry.requests).toHaveLength(1);
  });

  it('that aborts before it begins to read frees the connection too', async () => {
    const registry = await registryWithBlob();
    const { upstream } = connect(registry.origin);
    const controller = new AbortController();
    await upstream.blob(REPOSITORY, DIGEST, { delivery: 'stream', signal: controller.signal });
    controller.abort();
    await registry.allClosed();
  });

  it('while the answer is still awaited gets its own reason', async () => {
    const registry = await registryWithBlob();
    const controller = new AbortController();
    registry.next(1, '/blobs/', () => controller.abort(new Error('gone')));
    const { upstream } = connect(registry.origin);
    const call = upstream.blob(REPOSITORY, DIGEST, { delivery: 'stream', signal: controller.signal });
    await expect(call).rejects.toThrow('gone');
    await registry.allClosed();
  });
});

describe('the head of a blob', () => {
  it('says its size', async () => {
    const registry = await registryWithBlob();
    const { upstream } = connect(registry.origin);
    const head = await upstream.blobHead(REPOSITORY, DIGEST, { signal: signal() });
    expect(head).toEqual({ sizeBytes: BLOB.length, mediaType: 'application/octet-stream' });
    expect(registry.requests.map(({ method }) => method)).toEqual(['HEAD']);
  });

  it.each([405, 200])('is had by its first byte where HEAD answers %i without a length', async (status) => {
    const registry = await registryWithBlob();
    registry.next(1, '/blobs/', (_request, response) => void response.writeHead(status).end());
    const { upstream } = connect(registry.origin);
    const head = await upstream.blobHead(REPOSITORY, DIGEST, { signal: signal() });
    expect(head.sizeBytes).toBe(BLOB.length);
    expect(rangesOf(registry)).toEqual([undefined, 'bytes=0-0']);
  });

  it('of one that is missing is not found', async () => {
    const { upstream } = connect((await startFakeRegistry()).origin);
    const head = upstream.blobHead(REPOSITORY, DIGEST, { signal: signal() });
    await expect(head).rejects.toMatchObject({ kind: 'not-found' });
  });
});
