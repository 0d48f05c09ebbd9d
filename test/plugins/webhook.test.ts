import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadedFile } from '../credentials/loaded-file.ts';
import { createCertificateAuthority } from '../support/certificates.ts';
import { errorOf, parseOptions, providerOf, verifierOf } from './support.ts';

interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly socket: TLSSocket;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function receive(received: Received[], answer: (response: ServerResponse) => void) {
  return createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const { method = '', url = '', headers, socket } = request;
    received.push({ method, path: url, headers, body, socket: socket as TLSSocket });
    answer(response);
  });
}

const NONE = (response: ServerResponse) => void response.end('{"none":{}}');

describe('a webhook', () => {
  it('is posted the question as JSON', async () => {
    const received: Received[] = [];
    const port = await listen(receive(received, NONE));
    const options = parseOptions({ type: 'webhook', url: `http://localhost:${port}/drp?a=b` });
    expect(await providerOf(options).fetch()).toBeUndefined();
    expect(received[0]).toMatchObject({
      method: 'POST',
      path: '/drp?a=b',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
    });
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      protocol: 'drp.plugin.v1',
      credential: { registry: 'registry.example.net', context: { name: 'webhook' } },
    });
    expect(received[0]?.headers['drp-signature']).toBeUndefined();
  });

  it.each([
    ['secret', { secret: 'shared' }],
    ['secretFile', { secretFile: loadedFile('shared\n') }],
  ])('can tell by %s that the proxy has sent it', async (_, secret) => {
    const received: Received[] = [];
    const port = await listen(receive(received, NONE));
    const { secretFile, ...inline } = secret as { secretFile?: ReturnType<typeof loadedFile> };
    const options = parseOptions({ type: 'webhook', url: `http://127.0.0.1:${port}/`, ...inline });
    const clock = { now: () => 1_700_000_000_999, sleep: () => new Promise<void>(() => undefined) };
    await providerOf(secretFile ? { ...options, secretFile } : options, { clock }).fetch();
    const { body = '', headers } = received[0] ?? {};
    const digest = createHmac('sha256', 'shared').update(`1700000000.${body}`).digest('hex');
    expect(headers?.['drp-signature']).toBe(`t=1700000000,v1=${digest}`);
  });

  it.each([201, 204, 302, 307, 401, 500])('that answers with status %i is out of order', async (code) => {
    const received: Received[] = [];
    const port = await listen(
      receive(received, (response) => {
        response.writeHead(code, { location: '/elsewhere' });
        response.end(code === 204 ? undefined : '{"none":{}}');
      }),
    );
    const { fetch } = providerOf(parseOptions({ type: 'webhook', url: `http://127.0.0.1:${port}/` }));
    expect(await errorOf(fetch())).toMatchObject({
      code: 'unavailable',
      message: `answered with status ${code}`,
    });
    expect(received.map(({ path }) => path)).toEqual(['/']);
  });

  it('that nobody answers at is out of order', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const { verify } = verifierOf(parseOptions({ type: 'webhook', url: `http://127.0.0.1:${port}/` }));
    expect((await errorOf(verify())).code).toBe('unavailable');
  });
});

describe('a webhook over https', () => {
  it('is known by its authority, and knows the proxy by its certificate', async () => {
    const authority = await createCertificateAuthority();
    const certificate = await authority.issue(['localhost']);
    const common: (string | undefined)[] = [];
    const server = createHttpsServer(
      {
        cert: certificate.certificatePem,
        key: certificate.keyPem,
        ca: authority.certificatePem,
        requestCert: true,
        rejectUnauthorized: false,
      },
      (request, response) => {
        common.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN as string | undefined);
        request.resume();
        NONE(response);
      },
    );
    const port = await listen(server as unknown as Server);
    const options = parseOptions({ type: 'webhook', url: `https://localhost:${port}/` });
    const certificateAuthorityFile = loadedFile(authority.certificatePem);
    expect((await errorOf(providerOf(options).fetch())).code).toBe('unavailable');
    await providerOf({ ...options, certificateAuthorityFile }).fetch();
    const own = await authority.issue(['the-proxy']);
    await providerOf({
      ...options,
      certificateAuthorityFile,
      certificateFile: loadedFile(own.certificatePem),
      keyFile: loadedFile(own.keyPem),
    }).fetch();
    expect(common).toEqual([undefined, 'the-proxy']);
  });

  it('can not be made with files that can not be used', async () => {
    const authority = await createCertificateAuthority();
    const [one, other] = [await authority.issue(['one']), await authority.issue(['other'])];
    const options = parseOptions({ type: 'webhook', url: 'https://example.com/' });
    const none = loadedFile('none', '/bad.pem');
    expect(() => verifierOf({ ...options, certificateAuthorityFile: none })).toThrow('/bad.pem');
    expect(() => verifierOf({ ...options, certificateFile: none, keyFile: loadedFile(one.keyPem) })).toThrow(
      '/bad.pem',
    );
    expect(() =>
      verifierOf({
        ...options,
        certificateFile: loadedFile(one.certificatePem),
        keyFile: loadedFile(other.keyPem, '/other.key'),
      }),
    ).toThrow('/other.key');
    expect(() => verifierOf({ ...options, secretFile: loadedFile('\n', '/empty') })).toThrow(
      '/empty holds no secret',
    );
  });
});

describe('options of a webhook', () => {
  it.each([
    'http://plugin.example.com/',
    'http://10.0.0.1/',
    'http://127.0.0.1.example.com/',
    'https://user:password@plugin.example.com/',
    'https://plugin.example.com/#fragment',
    'ftp://127.0.0.1/',
    'plugin.example.com',
  ])('refuse the URL %s', (url) => {
    expect(() => parseOptions({ type: 'webhook', url })).toThrow('expected https://host/path');
  });

  it.each([
    'http://127.0.0.1:80/',
    'http://[::1]/x',
    'http://localhost/',
    'https://plugin.example.com/x?y=z',
  ])('take the URL %s', (url) => {
    expect(parseOptions({ type: 'webhook', url })).toMatchObject({ url });
  });

  it('refuse two secrets', () => {
    const url = 'https://plugin.example.com/';
    expect(() => parseOptions({ type: 'webhook', url, secret: 'a', secretFile: 'b' })).toThrow('not both');
  });
});
