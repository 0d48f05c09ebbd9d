import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpClient, type HttpClient, type HttpClientOptions } from '../../src/network/index.ts';

let server: Server;
let client: HttpClient;

afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  server.close();
});

async function start(answer: RequestListener, options: Partial<HttpClientOptions> = {}): Promise<URL> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = createHttpClient({ reach: 'any', timeoutMs: 2000, maximumBytes: 100, ...options });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys?a=b`);
}

const { signal } = new AbortController();

describe('the HTTP client for small requests', () => {
  it('sends what it is told and reads the whole answer', async () => {
    const url = await start((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () =>
        response
          .writeHead(201, { 'x-echo': `${request.method} ${request.url} ${request.headers['x-a']}` })
          .end(body),
      );
    });
    const answer = await client.request(url, {
      method: 'POST',
      headers: { 'x-a': '1' },
      body: 'hello',
      signal,
    });
    expect(answer).toMatchObject({ status: 201, headers: { 'x-echo': 'POST /keys?a=b 1' } });
    expect(answer.body.toString()).toBe('hello');
  });

  it('follows no redirect', async () => {
    const url = await start((_request, response) =>
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    );
    expect((await client.request(url, { signal })).status).toBe(302);
  });

  it('refuses a body that is too large', async () => {
    const url = await start((_request, response) => response.end('x'.repeat(101)));
    await expect(client.request(url, { signal })).rejects.toMatchObject({ name: 'BodyTooLargeError' });
  });

  it('gives up on who does not answer, and when it is told to', async () => {
    const url = await start(() => {}, { timeoutMs: 100 });
    await expect(client.request(url, { signal })).rejects.toThrow();
    const stop = new AbortController();
    const asked = client.request(url, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });

  it('within public reach, asks nobody in this network', async () => {
    let asked = 0;
    const url = await start(
      () => {
        asked += 1;
      },
      { reach: 'public', resolve: async () => [{ address: '127.0.0.1', family: 4 }] },
    );
    const named = new URL(`https://keys.example.com:${url.port}/`);
    for (const target of [url, new URL(`https://127.0.0.1:${url.port}/`), named]) {
      await expect(client.request(target, { signal }), target.href).rejects.toMatchObject({
        name: 'UnsafeAddressError',
      });
    }
    expect(asked).toBe(0);
  });
});
