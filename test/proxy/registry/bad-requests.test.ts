import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryUpstream } from './support/memory-upstream.ts';
import { sendRaw } from './support/raw-http.ts';
import { bearer, type StartedRegistry, startRegistry } from './support/start-registry.ts';

let registry: StartedRegistry;

beforeEach(async () => {
  registry = await startRegistry({ upstreams: [memoryUpstream()], server: { headerTimeout: '1s' } });
});

afterEach(async () => {
  await registry.close();
});

const AUTHORIZATION = `Authorization: ${bearer().authorization}`;

function request(line: string, ...headers: string[]): string {
  return `${[line, ...headers, 'Connection: close'].join('\r\n')}\r\n\r\n`;
}

function expectProtocolError(body: string): void {
  const { errors } = JSON.parse(body);
  expect(errors[0].code).toMatch(/^[A-Z_]+$/);
  expect(typeof errors[0].message).toBe('string');
}

describe('odd requests', () => {
  it.each([
    ['a second Host', request('GET /v2/ HTTP/1.1', 'Host: a', 'Host: b', AUTHORIZATION), 400],
    [
      'a second Authorization',
      request('GET /v2/ HTTP/1.1', 'Host: a', AUTHORIZATION, 'Authorization: Bearer x'),
      400,
    ],
    ['no Host', request('GET /v2/ HTTP/1.1', AUTHORIZATION), 400],
    ['an absolute target', request('GET http://a/v2/ HTTP/1.1', 'Host: a', AUTHORIZATION), 400],
    ['an asterisk', request('OPTIONS * HTTP/1.1', 'Host: a', AUTHORIZATION), 400],
    ['/../', request('GET /v2/../v2/app/manifests/v1 HTTP/1.1', 'Host: a', AUTHORIZATION), 400],
    ['%2e%2e', request('GET /v2/%2e%2e/app/manifests/v1 HTTP/1.1', 'Host: a', AUTHORIZATION), 400],
    ['%2f', request('GET /v2/team%2fapp/manifests/v1 HTTP/1.1', 'Host: a', AUTHORIZATION), 400],
    ['%00', request('GET /v2/app%00/manifests/v1 HTTP/1.1', 'Host: a', AUTHORIZATION), 400],
    ['half an escape', request('GET /v2/app%/manifests/v1 HTTP/1.1', 'Host: a', AUTHORIZATION), 400],
    [
      'an escape that is no UTF-8',
      request('GET /v2/%ff%fe/manifests/v1 HTTP/1.1', 'Host: a', AUTHORIZATION),
      400,
    ],
    ['NUL', request('GET /v2/a\0b/manifests/v1 HTTP/1.1', 'Host: a', AUTHORIZATION), 400],
    ['a backslash', request('GET /v2/a\\b/manifests/v1 HTTP/1.1', 'Host: a', AUTHORIZATION), 400],
    [
      'two lengths',
      request('POST /token HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Content-Length: 2'),
      400,
    ],
    [
      'length and chunks',
      request('POST /token HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Transfer-Encoding: chunked'),
      400,
    ],
    ['a blank before the colon', request('GET /v2/ HTTP/1.1', 'Host: a', 'Authorization : x'), 400],
    ['a folded header', request('GET /v2/ HTTP/1.1', 'Host: a', 'X: a\r\n b'), 400],
    ['an unknown expectation', request('GET /v2/ HTTP/1.1', 'Host: a', 'Expect: a miracle'), 401],
    ['a header over 32 KiB', request('GET /v2/ HTTP/1.1', 'Host: a', `X: ${'x'.repeat(40_000)}`), 431],
    [
      'a form over 64 KiB',
      request(
        'POST /token HTTP/1.1',
        'Host: a',
        'Content-Type: application/x-www-form-urlencoded',
        'Content-Length: 70000',
      ) + 'a'.repeat(70_000),
      413,
    ],
    ['no HTTP at all', '\x16\x03\x01\x02\x00hello\r\n\r\n', 400],
    ['an unknown method', request('PROPFIND /v2/ HTTP/1.1', 'Host: a', AUTHORIZATION), 405],
    ['a path of ours nowhere', request('GET /admin HTTP/1.1', 'Host: a', AUTHORIZATION), 404],
    ['metrics for clients', request('GET /metrics HTTP/1.1', 'Host: a', AUTHORIZATION), 404],
    ['a tunnel', request('CONNECT example.com:443 HTTP/1.1', 'Host: example.com:443'), 405],
    [
      'an endless Accept',
      request('GET /v2/a/manifests/v1 HTTP/1.1', 'Host: a', AUTHORIZATION, `Accept: ${'a/b,'.repeat(2000)}`),
      400,
    ],
    [
      'a digest that climbs',
      request('GET /v2/a/blobs/sha256:..%2f..%2fetc%2fpasswd HTTP/1.1', 'Host: a', AUTHORIZATION),
      400,
    ],
  ])('%s', async (_name, text, status) => {
    const answer = await sendRaw(registry.port, text);
    expect(answer.status).toBe(status);
    expect(answer.head.toLowerCase()).toContain('content-type: application/json');
    expectProtocolError(answer.body);
  });

  it('1000 generated ones: no 5xx, and always the error of the protocol', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'v2',
        'manifests',
        'blobs',
        'uploads',
        'tags',
        'list',
        'referrers',
        '_catalog',
        '..',
        '%2e%2e',
        '%2F',
        '%',
        '%zz',
        '__proto__',
        'constructor',
        'sha256:',
        `sha256:${'a'.repeat(64)}`,
        'A',
        'é',
        '\t',
        ';',
        '?n=-1',
        '?n=1e9',
        '?ns=//x',
        '#x',
        '//',
      ),
      fc.stringMatching(/^[!-~]{0,12}$/),
    );
    const path = fc.array(piece, { maxLength: 7 }).map((pieces) => `/${pieces.join('/')}`);
    const line = fc.tuple(
      fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'BREW', 'get', ''),
      path,
      fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/9', ''),
    );
    const header = fc.oneof(
      fc.constantFrom(
        AUTHORIZATION,
        'Authorization: Basic !!!',
        'Authorization: Bearer',
        'Range: bytes=9-1',
        'Accept: ,,,',
        'Content-Length: -1',
        'Transfer-Encoding: gzip',
        'Host:',
        'Host: a b',
        'X-Forwarded-Host: "',
      ),
      fc
        .tuple(fc.stringMatching(/^[A-Za-z-]{1,10}$/), fc.stringMatching(/^[ -~]{0,30}$/))
        .map(([name, value]) => `${name}: ${value}`),
    );
    const requests = fc.sample(fc.tuple(line, fc.array(header, { maxLength: 4 })), 1000);
    const work = [...requests.entries()];
    const worker = async () => {
      for (let next = work.pop(); next; next = work.pop()) {
        const [, [[method, target, version], headers]] = next;
        const text = request(`${method} ${target} ${version}`, 'Host: a', ...headers);
        const answer = await sendRaw(registry.port, Buffer.from(text, 'utf8'));
        const told = JSON.stringify({ text, answer });
        expect(answer.status, told).toBeLessThan(500);
        if (answer.status === 0 || answer.status === 200 || method === 'HEAD') continue;
        expect(answer.status, told).toBeGreaterThanOrEqual(400);
        expectProtocolError(answer.body);
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect((await fetch(`${registry.url}/v2/`, { headers: bearer() })).status).toBe(200);
  });
});

describe('a slow client', () => {
  it('that never ends its header is cut off, and one that says nothing too', async () => {
    const closed = [`GET /v2/ HTTP/1.1\r\nHost: a\r\nX:`, ''].map(
      (text) =>
        new Promise<void>((resolve) => {
          const socket = connect(registry.port, '127.0.0.1', () => socket.write(text));
          socket.resume().on('error', () => {});
          socket.on('close', () => resolve());
        }),
    );
    await Promise.all(closed);
  });

  it('that takes no bytes is cut off', async () => {
    const upstream = memoryUpstream();
    const digest = upstream.putBlob('app', Buffer.alloc(64 * 1024 * 1024));
    const slow = await startRegistry({ upstreams: [upstream], server: { progressTimeout: '300ms' } });
    const socket = connect(slow.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      `GET /v2/app/blobs/${digest} HTTP/1.1\r\nHost: 127.0.0.1:${slow.port}\r\n${AUTHORIZATION}\r\n\r\n`,
    );
    socket.pause();
    await expect
      .poll(() => slow.audit().at(-1), { timeout: 10_000 })
      .toMatchObject({ complete: false, status: 200 });
    socket.destroy();
    await slow.close();
  });
});
