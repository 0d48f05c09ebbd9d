import { beforeEach, describe, expect, it } from 'vitest';
import type { PushTarget } from '../../../../../src/proxy/upstream/index.ts';
import {
  openLocation,
  readLocation,
  withDigest,
} from '../../../../../src/proxy/upstream/remote/upload/upload-location.ts';
import { type ConnectOptions, connect, credentialOf, REPOSITORY, signal } from '../../support/connect.ts';
import { sha256 } from '../../support/fake-registry.ts';
import { pieces, startUploadRegistry, type UploadRegistry } from '../../support/upload-registry.ts';

const CONTENT = Buffer.from('the bytes of a layer');
const DIGEST = sha256(CONTENT);
const REGISTRY = new URL('https://registry.example.com');

let registry: UploadRegistry;

beforeEach(async () => {
  registry = await startUploadRegistry();
});

function targetOf(options: ConnectOptions = {}): PushTarget {
  const credential = () => credentialOf('robot', 'canary-password');
  const { push } = connect(registry.origin, { credential, ...options }).upstream;
  if (!push) throw new Error('a registry takes pushes');
  return push;
}

/** A whole push, chunk and end. */
async function pushBlob(target: PushTarget): Promise<void> {
  const started = await target.startUpload(REPOSITORY, { signal: signal() });
  if (started.type !== 'started') throw new Error('nothing was to be mounted');
  const chunk = { sizeBytes: CONTENT.length, bytes: pieces(CONTENT), range: undefined, mayEndEarly: true };
  const { session } = await target.sendChunk(started.progress.session, chunk, { signal: signal() });
  await target.finishUpload(session, DIGEST, undefined, { signal: signal() });
}

describe('where an upload goes on', () => {
  it('a path', async () => {
    await pushBlob(targetOf());
    expect(registry.blobs.get(DIGEST)).toEqual(CONTENT);
  });

  it('a whole URL of the registry', async () => {
    registry.locationOf = (path) => registry.origin + path;
    await pushBlob(targetOf());
    expect(registry.blobs.get(DIGEST)).toEqual(CONTENT);
  });

  it('distribution, Harbor: a state in the query, another one at each step, goes back byte for byte', async () => {
    registry.locationOf = (path, size) => `${path}?_state=a%2Bb~%7E.${size}-_%3D&other=1+2`;
    await pushBlob(targetOf());
    expect(registry.requests.slice(1).map(({ path }) => path)).toEqual([
      '/v2/team/app/blobs/uploads/1?_state=a%2Bb~%7E.0-_%3D&other=1+2',
      `/v2/team/app/blobs/uploads/1?_state=a%2Bb~%7E.20-_%3D&other=1+2&digest=${encodeURIComponent(DIGEST)}`,
    ]);
  });

  it('GCR, Artifact Registry, ACR: a path of its own, far from /v2/', async () => {
    registry.locationOf = (path) => `/artifacts-uploads/namespaces/p/uploads/AF2r${path.slice(-1)}`;
    registry.script((request) => {
      request.url = request.url?.replace(/^\/artifacts-uploads\/.*AF2r(\d)/, '/v2/team/app/blobs/uploads/$1');
      return false;
    });
    await pushBlob(targetOf());
    expect(registry.blobs.get(DIGEST)).toEqual(CONTENT);
  });

  it('no range in any answer', async () => {
    registry.saysRange = false;
    const started = await targetOf().startUpload(REPOSITORY, { signal: signal() });
    expect(started).toMatchObject({ progress: { lastByte: undefined } });
    await pushBlob(targetOf());
    expect(registry.blobs.get(DIGEST)).toEqual(CONTENT);
  });

  it('storage that is listed gets the bytes, their length, and no credential', async () => {
    const storage = await startUploadRegistry();
    storage.uploads.set('1', Buffer.alloc(0));
    registry.login = { type: 'basic', username: 'robot', password: 'canary-password' };
    registry.locationOf = (path) => storage.origin + path;
    storage.locationOf = (path) => storage.origin + path;
    await pushBlob(targetOf({ redirects: [storage.origin] }));
    expect(storage.blobs.get(DIGEST)).toEqual(CONTENT);
    expect(storage.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
    expect(storage.requests[0]?.headers['content-length']).toBe(String(CONTENT.length));
  });

  it('storage that nobody listed gets nothing', async () => {
    const storage = await startUploadRegistry();
    registry.locationOf = (path) => storage.origin + path;
    await expect(pushBlob(targetOf())).rejects.toMatchObject({ kind: 'unsafe' });
    expect(storage.requests).toEqual([]);
  });

  it.each([
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/x',
    'https://localhost/x',
    'http://storage.example.com/x',
    'https://user:password@storage.example.com/x',
    'file:///etc/passwd',
    'gopher://storage.example.com/x',
    `/${'x'.repeat(5000)}`,
  ])('never %s', async (location) => {
    registry.locationOf = () => location;
    await expect(pushBlob(targetOf())).rejects.toMatchObject({ kind: 'unsafe' });
    expect(registry.requests.map(({ method }) => method)).toEqual(['POST']);
  });

  it('no place at all is no upload', async () => {
    registry.script((_request, response) => void response.writeHead(202).end());
    await expect(pushBlob(targetOf())).rejects.toMatchObject({ kind: 'faulty' });
  });
});

describe('a location', () => {
  const from = new URL('/v2/team/app/blobs/uploads/', REGISTRY);
  const read = (header: string) => readLocation(header, from, REGISTRY, []);

  it('is kept without the origin of the registry', () => {
    expect(read('/v2/a/blobs/uploads/1?_state=x%3D')).toBe('/v2/a/blobs/uploads/1?_state=x%3D');
    expect(read('https://registry.example.com/v2/a?x=1')).toBe('/v2/a?x=1');
    expect(read('1?x=1')).toBe('/v2/team/app/blobs/uploads/1?x=1');
    expect(read('https://storage.example.com/a?sig=1')).toBe('https://storage.example.com/a?sig=1');
  });

  it('of a registry that calls itself by http, behind a TLS proxy, is asked by https', () => {
    expect(read('http://registry.example.com/v2/a?x=1')).toBe('/v2/a?x=1');
    expect(() => read('http://registry.example.com:8080/v2/a')).toThrow('https');
    expect(() => read('http://registry.example.com.evil.example/v2/a')).toThrow('https');
  });

  it('is asked again for whether it may be used', () => {
    const location = 'http://storage.internal:9000/bucket/1';
    const listed = ['http://storage.internal:9000'];
    expect(openLocation(location, REGISTRY, listed)).toMatchObject({ trust: 'listed' });
    expect(() => openLocation(location, REGISTRY, [])).toThrow();
    expect(openLocation('/v2/a', REGISTRY, [])).toMatchObject({ trust: 'own' });
    expect(() => openLocation('//evil.example/v2', new URL('http://registry.internal'), [])).toThrow();
  });

  it('gets the digest behind its own query', () => {
    const digest = sha256('x');
    expect(withDigest(new URL('https://r/a?b=1%2F~'), digest).href).toBe(
      `https://r/a?b=1%2F~&digest=${encodeURIComponent(digest)}`,
    );
    expect(withDigest(new URL('https://r/a'), digest).search).toBe(`?digest=${encodeURIComponent(digest)}`);
  });
});
