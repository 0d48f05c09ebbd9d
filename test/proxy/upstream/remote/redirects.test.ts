import { describe, expect, it } from 'vitest';
import { mediaTypes, parseReference } from '../../../../src/oci/index.ts';
import { redirectTarget } from '../../../../src/proxy/upstream/remote/redirect-target.ts';
import { createCertificateAuthority } from '../../../support/certificates.ts';
import {
  type ConnectOptions,
  connect,
  credentialOf,
  REPOSITORY,
  readAll,
  signal,
} from '../support/connect.ts';
import { content, sendBlob, sendThenReset, sha256, startFakeRegistry } from '../support/fake-registry.ts';
import { startServer } from '../support/server.ts';

const BLOB = content(50_000);
const DIGEST = sha256(BLOB);

describe('where a redirect may lead', () => {
  const registry = new URL('https://registry.example.com');
  const follow = (location: string, from = registry, listed: string[] = []) =>
    redirectTarget(location, from, registry, listed);

  it.each([
    ['/other/path?q=1', 'https://registry.example.com/other/path?q=1', 'own'],
    ['https://storage.example.net/blob?X-Amz-Signature=1', undefined, 'public'],
    ['https://storage.example.net:8443/blob', undefined, 'public'],
    ['//storage.example.net/blob', 'https://storage.example.net/blob', 'public'],
  ])('%s', (location, href, trust) => {
    expect(follow(location)).toMatchObject({ trust });
    expect(follow(location).url.href).toBe(href ?? location);
  });

  it('is relative to the last stop', () => {
    const from = new URL('https://storage.example.net/a/b');
    expect(follow('c', from).url.href).toBe('https://storage.example.net/a/c');
  });

  it.each([
    'http://storage.example.net/blob',
    'http://registry.example.com/blob',
    'https://user:pw@storage.example.net/blob',
    'https://127.0.0.1/blob',
    'https://[::1]/blob',
    'https://[::ffff:10.0.0.1]/blob',
    'https://169.254.169.254/latest/meta-data/',
    'https://2852039166/',
    'https://localhost/blob',
    'ftp://storage.example.net/blob',
    'file:///etc/passwd',
    'https://',
    '',
    `https://storage.example.net/${'x'.repeat(20_000)}`,
  ])('not to %.60s', (location) => {
    expect(() => follow(location)).toThrow(expect.objectContaining({ kind: 'unsafe' }));
  });

  it('not from https back to a registry that is http', () => {
    const plain = new URL('http://registry.example.com');
    const from = new URL('https://storage.example.net/blob');
    expect(() => redirectTarget('http://registry.example.com/v2/', from, plain, [])).toThrow(
      expect.objectContaining({ kind: 'unsafe' }),
    );
    expect(redirectTarget('http://registry.example.com/v2/', plain, plain, []).trust).toBe('own');
  });

  it('is anywhere, when it is listed', () => {
    expect(follow('http://10.0.0.1:9000/blob', registry, ['http://10.0.0.1:9000']).trust).toBe('listed');
  });

  it('never says in an error what may be a signature', () => {
    expect(() => follow('http://storage.example.net/blob?signature=canary')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('canary') }),
    );
  });
});

/** A registry that sends everybody who logs in to this address. */
async function redirecting(location: (path: string) => string, options: ConnectOptions = {}) {
  const registry = await startFakeRegistry();
  registry.login = { type: 'basic', username: 'acme', password: 'canary' };
  registry.script((request, response) => {
    if (request.headers.authorization === undefined) return false;
    response.writeHead(307, { location: location(request.url ?? ''), 'set-cookie': 'a=b' }).end();
    return true;
  });
  const connected = connect(registry.origin, {
    credential: () => credentialOf('acme', 'canary'),
    ...options,
  });
  const blob = (delivery: 'stream' | 'redirect' = 'stream') =>
    connected.upstream.blob(REPOSITORY, DIGEST, { delivery, signal: signal() });
  return { ...connected, registry, blob };
}

describe('a redirect', () => {
  it('to storage is followed without Authorization and without cookies', async () => {
    const storage = await startServer((request, response) => sendBlob(BLOB, request, response));
    const { blob } = await redirecting(() => `${storage.origin}/blob?signature=1`, {
      redirects: [storage.origin],
    });
    const answer = await blob();
    expect(answer.type === 'content' && BLOB.equals(await readAll(answer.body))).toBe(true);
    expect(storage.requests[0]?.path).toBe('/blob?signature=1');
    expect(storage.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(storage.requests[0]?.headers).not.toHaveProperty('cookie');
  });

  it('to storage that breaks off begins at the registry again', async () => {
    let broken = false;
    const storage = await startServer((request, response) => {
      if (broken) sendBlob(BLOB, request, response);
      else sendThenReset(BLOB, 1000, response);
      broken = true;
    });
    let signature = 0;
    const { blob } = await redirecting(() => `${storage.origin}/blob?signature=${++signature}`, {
      redirects: [storage.origin],
    });
    const answer = await blob();
    expect(answer.type === 'content' && BLOB.equals(await readAll(answer.body))).toBe(true);
    expect(storage.requests.map(({ path }) => path)).toEqual(['/blob?signature=1', '/blob?signature=2']);
    expect(storage.requests[1]?.headers.range).toBe('bytes=1000-49999');
  });

  it('that comes back to the registry is no longer shown the credential', async () => {
    let home = '';
    const storage = await startServer((_request, response) => {
      response.writeHead(302, { location: `${home}/v2/team/app/blobs/secret` }).end();
    });
    const { blob, registry } = await redirecting(() => `${storage.origin}/x`, {
      redirects: [storage.origin],
    });
    home = registry.origin;
    await expect(blob()).rejects.toMatchObject({ kind: 'refused' });
    expect(registry.requests.at(-1)?.headers).not.toHaveProperty('authorization');
  });

  it('within the registry keeps the credential', async () => {
    const registry = await startFakeRegistry();
    registry.addBlob(BLOB);
    registry.login = { type: 'basic', username: 'acme', password: 'canary' };
    registry.next(1, '/blobs/', (request, response) => {
      response.writeHead(308, { location: `${request.url}?moved` }).end();
    });
    const { upstream } = connect(registry.origin, { credential: () => credentialOf('acme', 'canary') });
    const answer = await upstream.blob(REPOSITORY, DIGEST, { delivery: 'stream', signal: signal() });
    expect(answer.type === 'content' && (await readAll(answer.body)).length).toBe(BLOB.length);
  });

  it('to a loopback address that is not listed reaches nobody', async () => {
    const other = await startServer((_request, response) => void response.end());
    for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost']) {
      for (const scheme of ['http', 'https']) {
        const { blob } = await redirecting(() => `${scheme}://${host}:${other.port}/x`);
        await expect(blob()).rejects.toMatchObject({ kind: 'unsafe' });
      }
    }
    expect(other.connectionCount).toBe(0);
  });

  it('to a name that leads to a private address reaches nobody', async () => {
    const other = await startServer((_request, response) => void response.end());
    for (const address of ['127.0.0.1', '169.254.169.254', '::1']) {
      const { blob } = await redirecting(() => `https://storage.example.net:${other.port}/x`, {
        resolve: async () => [{ address, family: address.includes(':') ? 6 : 4 }],
      });
      await expect(blob()).rejects.toMatchObject({ kind: 'unsafe' });
    }
    expect(other.connectionCount).toBe(0);
  });

  it('from https to http reaches nobody, within the registry too', async () => {
    const authority = await createCertificateAuthority();
    const registry = await startFakeRegistry(await authority.issue(['127.0.0.1']));
    registry.script((_request, response) => {
      response.writeHead(307, { location: registry.origin.replace('https:', 'http:') }).end();
      return true;
    });
    const { upstream } = connect(registry.origin, { certificateAuthorityPem: authority.certificatePem });
    const call = upstream.blob(REPOSITORY, DIGEST, { delivery: 'stream', signal: signal() });
    await expect(call).rejects.toMatchObject({ kind: 'unsafe' });
  });

  it('is followed five times and no more', async () => {
    let hops = 0;
    const { blob } = await redirecting((path) => `${path.split('?')[0]}?hop=${++hops}`);
    await expect(blob()).rejects.toMatchObject({ kind: 'unsafe' });
    expect(hops).toBe(6);
  });

  it('of a manifest is followed too', async () => {
    const manifest = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.OCI_INDEX, manifests: [] });
    const storage = await startServer((_request, response) => {
      response.writeHead(200, { 'content-type': mediaTypes.OCI_INDEX }).end(manifest);
    });
    const { upstream } = await redirecting(() => `${storage.origin}/m`, { redirects: [storage.origin] });
    const reference = parseReference('latest');
    const options = { accept: [], signal: signal() };
    const found = reference && (await upstream.manifest(REPOSITORY, reference, options));
    expect(found?.digest).toBe(sha256(manifest));
    expect(storage.requests[0]?.headers).not.toHaveProperty('authorization');
  });
});

describe('a redirect that is to be handed back', () => {
  it('is, as an absolute address, and nobody follows it', async () => {
    const { blob } = await redirecting(() => 'https://storage.example.net/blob?signature=1');
    expect(await blob('redirect')).toEqual({
      type: 'redirect',
      location: 'https://storage.example.net/blob?signature=1',
    });
  });

  it('is, to private storage that is listed', async () => {
    const { blob } = await redirecting(() => 'http://10.0.0.1:9000/blob', {
      redirects: ['http://10.0.0.1:9000'],
    });
    expect(await blob('redirect')).toEqual({ type: 'redirect', location: 'http://10.0.0.1:9000/blob' });
  });

  it.each(['https://10.0.0.1/blob', 'http://storage.example.net/blob', 'https://a:b@storage.example.net/'])(
    'is not when it leads to %s',
    async (location) => {
      const { blob } = await redirecting(() => location);
      await expect(blob('redirect')).rejects.toMatchObject({ kind: 'unsafe' });
    },
  );

  it('is followed within the registry', async () => {
    let stops = 0;
    const { blob } = await redirecting((path) =>
      stops++ === 0 ? `${path}?x` : 'https://storage.example.net/blob',
    );
    expect(await blob('redirect')).toEqual({
      type: 'redirect',
      location: 'https://storage.example.net/blob',
    });
  });

  it('is content where the registry has it itself', async () => {
    const registry = await startFakeRegistry();
    registry.addBlob(BLOB);
    const { upstream } = connect(registry.origin);
    const answer = await upstream.blob(REPOSITORY, DIGEST, { delivery: 'redirect', signal: signal() });
    expect(answer.type === 'content' && BLOB.equals(await readAll(answer.body))).toBe(true);
  });
});
