import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sha256 } from '../upstream/support/fake-registry.ts';
import { readSome, type UploadRegistry } from '../upstream/support/upload-registry.ts';
import { memoryStore } from './support/memory-store.ts';
import { startPushSite } from './support/push-site.ts';
import { bearer, type StartedRegistry } from './support/start-registry.ts';

const MIB = 1024 * 1024;
const CONTENT = Buffer.alloc(4 * MIB, 'layer');
const DIGEST = sha256(CONTENT);

/** A busy machine takes its time. */
function eventually<T>(probe: () => T) {
  return expect.poll(probe, { timeout: 10_000 });
}

/** A connection on which a test sends what it likes. */
async function open(registry: StartedRegistry) {
  const socket = connect(registry.port, '127.0.0.1').on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  const head = (method: string, path: string, ...headers: string[]) =>
    [
      `${method} ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${registry.port}`,
      `Authorization: ${bearer().authorization}`,
      ...headers,
      '',
      '',
    ].join('\r\n');
  return { socket, head, answer: () => text };
}

async function startUpload({ url }: StartedRegistry): Promise<string> {
  const answer = await fetch(`${url}/v2/app/blobs/uploads/`, { method: 'POST', headers: bearer() });
  return answer.headers.get('location') ?? '';
}

async function progressOf({ url }: StartedRegistry, location: string) {
  const answer = await fetch(url + location, { headers: bearer() });
  return {
    status: answer.status,
    range: answer.headers.get('range'),
    location: answer.headers.get('location') ?? '',
  };
}

function arrived(upstream: UploadRegistry, method: string): Promise<void> {
  return eventually(
    () => upstream.requests.filter((request) => request.method === method).length,
  ).toBeGreaterThan(0) as Promise<void>;
}

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

describe('a client that waits to be asked for its body', () => {
  it('is asked once it may send it', async () => {
    const { registry, upstream } = await startPushSite();
    const { socket, head, answer } = await open(registry);
    const path = `${await startUpload(registry)}?digest=${DIGEST}`;
    socket.write(head('PUT', path, `Content-Length: ${CONTENT.length}`, 'Expect: 100-continue'));
    await eventually(answer).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(CONTENT);
    await eventually(answer).toContain('HTTP/1.1 201 Created');
    expect(upstream.blobs.get(DIGEST)?.equals(CONTENT)).toBe(true);
  });

  it.each([
    ['it may not push there', '/v2/frozen/app/blobs/uploads/?digest=', 405],
    ['its upload is none', '/v2/app/blobs/uploads/nonsense?digest=', 404],
  ])('is not asked when %s', async (_why, path, status) => {
    const { registry } = await startPushSite();
    const { socket, head, answer } = await open(registry);
    const method = status === 405 ? 'POST' : 'PUT';
    socket.write(head(method, path + DIGEST, 'Content-Length: 1000000', 'Expect: 100-continue'));
    await ended(socket);
    expect(answer()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('is asked for a form, too', async () => {
    const { registry } = await startPushSite();
    const { socket, head, answer } = await open(registry);
    const type = 'Content-Type: application/x-www-form-urlencoded';
    socket.write(head('POST', '/token', type, 'Content-Length: 12', 'Expect: 100-continue'));
    await eventually(answer).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('grant_type=x');
    await eventually(answer).toContain('HTTP/1.1 400 ');
  });
});

describe('a body that nobody wants', () => {
  it('does not keep its sender from reading the answer', async () => {
    const { registry } = await startPushSite();
    const { socket, head, answer } = await open(registry);
    socket.write(head('POST', '/v2/frozen/app/blobs/uploads/', `Content-Length: ${CONTENT.length}`));
    socket.write(CONTENT);
    await ended(socket);
    expect(answer()).toMatch(/^HTTP\/1.1 405 /);
    expect(answer()).toMatch(/connection: close/i);
    expect(answer()).toContain('UNSUPPORTED');
  });

  it('that never ends is cut off all the same', async () => {
    const { registry } = await startPushSite();
    const { socket, head, answer } = await open(registry);
    socket.write(head('POST', '/v2/frozen/app/blobs/uploads/', 'Content-Length: 1000000000000'));
    const more = () => {
      while (socket.write(CONTENT));
    };
    socket.on('drain', more);
    more();
    await ended(socket);
    expect(socket.bytesWritten).toBeLessThan(200 * MIB);
    expect(answer()).toMatch(/^(HTTP\/1.1 405 |$)/);
  });

  it('is told of when the upstream refuses it midway', async () => {
    const { registry, upstream } = await startPushSite();
    const path = `${await startUpload(registry)}?digest=${DIGEST}`;
    upstream.script((request, response) => {
      if (request.method !== 'PUT') return false;
      response.writeContinue();
      void readSome(request, MIB).then(() => {
        response.writeHead(413).end();
        request.on('error', () => {}).resume();
      });
      return true;
    });
    const { socket, head, answer } = await open(registry);
    socket.write(head('PUT', path, `Content-Length: ${CONTENT.length}`));
    socket.write(CONTENT);
    await ended(socket);
    expect(answer()).toMatch(/^HTTP\/1.1 413 /);
    expect(answer()).toContain('SIZE_INVALID');
  });
});

describe('a client that breaks off', () => {
  it('in its last request ends the upstream’s, and nothing is stored', async () => {
    const { registry, upstream } = await startPushSite();
    const { socket, head } = await open(registry);
    const path = `${await startUpload(registry)}?digest=${DIGEST}`;
    let put: IncomingMessage | undefined;
    upstream.script((request) => {
      if (request.method === 'PUT') put = request;
      return false;
    });
    socket.write(head('PUT', path, `Content-Length: ${CONTENT.length}`));
    socket.write(CONTENT.subarray(0, MIB));
    await arrived(upstream, 'PUT');
    socket.destroy();
    await eventually(() => put?.destroyed).toBe(true);
    await eventually(() => registry.audit().at(-1)).toMatchObject({ action: 'push', complete: false });
    expect(upstream.blobs.size).toBe(0);
  });

  it('in a chunk can go on behind what came, by asking with what it had', async () => {
    const state = memoryStore();
    const { registry, upstream } = await startPushSite({ state });
    // As distribution does it: a place is good for one offset only.
    upstream.locationOf = (path, size) => `${path}?_state=${size}`;
    upstream.script((request, response) => {
      const [, id, offset] = /uploads\/(\d+)\?_state=(\d+)/.exec(request.url ?? '') ?? [];
      if (id === undefined || Number(offset) === upstream.uploads.get(id)?.length) return false;
      response.writeHead(404).end('{"errors":[{"code":"BLOB_UPLOAD_INVALID"}]}');
      return true;
    });
    const location = await startUpload(registry);
    const { socket, head } = await open(registry);
    socket.write(
      head('PATCH', location, `Content-Length: ${CONTENT.length}`, `Content-Range: 0-${CONTENT.length - 1}`),
    );
    await new Promise((resolve) => socket.write(CONTENT.subarray(0, MIB), resolve));
    await arrived(upstream, 'PATCH');
    socket.destroy();
    // Asked at once: the chunk that is just being ended is waited for.
    await eventually(() => upstream.uploads.get('1')?.length).toBeGreaterThan(0);
    const { status, range, location: next } = await progressOf(registry, location);
    expect(status).toBe(204);
    const offset = Number(range?.slice(2)) + 1;
    expect(offset).toBe(upstream.uploads.get('1')?.length);
    const rest = await fetch(registry.url + next, {
      method: 'PATCH',
      headers: { ...bearer(), 'content-range': `${offset}-${CONTENT.length - 1}` },
      body: new Uint8Array(CONTENT.subarray(offset)),
    });
    expect(rest.status).toBe(202);
    const end = `${registry.url}${rest.headers.get('location')}?digest=${DIGEST}`;
    expect((await fetch(end, { method: 'PUT', headers: bearer() })).status).toBe(201);
    expect(upstream.blobs.get(DIGEST)?.equals(CONTENT)).toBe(true);
    expect(state.size).toBe(1);
  });

  it('and one that sends nothing more is told so, and keeps what came', async () => {
    const { registry, upstream } = await startPushSite({ server: { progressTimeout: '200ms' } });
    const { socket, head, answer } = await open(registry);
    socket.write(head('PATCH', await startUpload(registry), 'Content-Length: 1000'));
    socket.write(Buffer.alloc(10));
    await ended(socket);
    expect(answer()).toMatch(/^HTTP\/1.1 408 /);
    expect(upstream.uploads.get('1')).toHaveLength(10);
  });

  it('in a form is told so, too', async () => {
    const { registry } = await startPushSite({ server: { headerTimeout: '200ms' } });
    const { socket, head, answer } = await open(registry);
    const type = 'Content-Type: application/x-www-form-urlencoded';
    socket.write(head('POST', '/token', type, 'Content-Length: 100'));
    socket.write('grant_type=');
    await ended(socket);
    expect(answer()).toMatch(/^HTTP\/1.1 408 /);
  });
});

it('a shutdown waits for a push that is under way', async () => {
  const { registry, upstream } = await startPushSite();
  const { socket, head, answer } = await open(registry);
  const path = `${await startUpload(registry)}?digest=${DIGEST}`;
  socket.write(head('PUT', path, `Content-Length: ${CONTENT.length}`));
  socket.write(CONTENT.subarray(0, MIB));
  await arrived(upstream, 'PUT');
  const drained = registry.drain();
  socket.write(CONTENT.subarray(MIB));
  await drained;
  await eventually(answer).toMatch(/^HTTP\/1.1 201 /);
});

it('a connection is used again after a push', async () => {
  const { registry } = await startPushSite();
  const { socket, head, answer } = await open(registry);
  const path = `${await startUpload(registry)}?digest=${DIGEST}`;
  socket.write(head('PUT', path, `Content-Length: ${CONTENT.length}`));
  socket.write(CONTENT);
  await eventually(answer).toContain('HTTP/1.1 201 Created');
  socket.write(head('GET', '/v2/'));
  await eventually(answer).toContain('HTTP/1.1 200 OK');
});
