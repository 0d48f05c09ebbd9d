import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { mediaTypes, parseReference } from '../../../src/oci/index.ts';
import { upstreamOptions } from '../../../src/proxy/upstream/index.ts';
import {
  type ConnectOptions,
  connect,
  credentialOf,
  REPOSITORY,
  readAll,
  signal,
} from './support/connect.ts';
import {
  content,
  type FakeRegistry,
  SAMPLE_MANIFEST,
  sha256,
  startFakeRegistry,
} from './support/fake-registry.ts';
import { startServer } from './support/server.ts';

/**
 * What real registries do that the specification does not say, one test for each. Others are looked at where they belong:
 * redirects, ranges, media types, listings, and logins each have a file of their own.
 */

async function registry(): Promise<FakeRegistry> {
  const fake = await startFakeRegistry();
  fake.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, 'latest');
  return fake;
}

function pullFrom(fake: FakeRegistry, options: ConnectOptions = {}) {
  const { upstream, ...rest } = connect(fake.origin, {
    credential: () => credentialOf('acme', 'canary'),
    ...options,
  });
  const latest = parseReference('latest');
  if (!latest) throw new Error('no reference');
  const call = { accept: [], signal: signal() };
  return {
    ...rest,
    upstream,
    pull: () => upstream.manifest(REPOSITORY, latest, call),
    head: () => upstream.manifestHead(REPOSITORY, latest, call),
  };
}

/** A token server that answers everybody with this, and what it was asked. */
async function tokenServer(answer: unknown) {
  const server = await startServer((_request, response) => void response.end(JSON.stringify(answer)));
  const scopes = () =>
    server.requests.map(({ path }) => new URL(path, 'http://tokens').searchParams.getAll('scope'));
  return { ...server, realm: `${server.origin}/token`, scopes };
}

function challenge(response: ServerResponse, header: string): void {
  response.writeHead(401, { 'www-authenticate': header }).end();
}

describe('tokens', () => {
  it('GHCR names a placeholder in the scope of its challenge: what is asked for is our own repository', async () => {
    const fake = await registry();
    const tokens = await tokenServer({ token: 't' });
    fake.next(1, '/manifests/', (_request, response) =>
      challenge(
        response,
        `Bearer realm="${tokens.realm}",service="ghcr.io",scope="repository:user/image:pull"`,
      ),
    );
    await pullFrom(fake, { realms: [tokens.origin] }).pull();
    expect(tokens.scopes()).toEqual([['repository:team/app:pull']]);
  });

  it('serverless-registry denies pull,push to read-only accounts: only pull is asked for', async () => {
    const fake = await registry();
    const tokens = await tokenServer({ token: 't' });
    fake.next(1, '/manifests/', (_request, response) =>
      challenge(response, `Bearer realm="${tokens.realm}",scope="repository:team/app:pull,push"`),
    );
    await pullFrom(fake, { realms: [tokens.origin] }).pull();
    expect(tokens.scopes()).toEqual([['repository:team/app:pull']]);
  });

  it.each([
    ['access_token alone, as Azure answers', { access_token: 't', expires_in: 300 }],
    ['no expires_in, as old servers answer', { token: 't' }],
    ['expires_in as text', { token: 't', expires_in: '300' }],
    ['an empty token beside access_token', { token: '', access_token: 't' }],
  ])('%s', async (_what, answer) => {
    const fake = await registry();
    const tokens = await tokenServer(answer);
    fake.login = { type: 'bearer', realm: tokens.realm, accepts: (token) => token === 't' };
    await pullFrom(fake, { realms: [tokens.origin] }).pull();
  });

  it('a realm with a query of its own keeps it', async () => {
    const fake = await registry();
    const tokens = await tokenServer({ token: 't' });
    fake.login = {
      type: 'bearer',
      realm: `${tokens.realm}?scope_type=x`,
      accepts: (token) => token === 't',
    };
    await pullFrom(fake, { realms: [tokens.origin] }).pull();
    expect(tokens.requests[0]?.path).toBe(
      '/token?scope_type=x&service=registry&scope=repository%3Ateam%2Fapp%3Apull',
    );
  });

  it.each([
    'bearer realm="REALM"',
    'BEARER Realm=REALM , service=x',
    'Basic realm="x", Bearer realm="REALM"',
  ])('a challenge in odd spelling: %s', async (header) => {
    const fake = await registry();
    const tokens = await tokenServer({ token: 't' });
    const realm = header.includes('=REALM') ? tokens.origin.replace('http://', '') : tokens.realm;
    // A realm without quotes can't hold a slash, so it is no realm, and that is said.
    fake.next(1, '/manifests/', (_request, response) => challenge(response, header.replace('REALM', realm)));
    const pulled = pullFrom(fake, { realms: [tokens.origin] }).pull();
    if (header.includes('=REALM')) await expect(pulled).rejects.toMatchObject({ kind: 'unsafe' });
    else await pulled;
  });

  it('ECR asks for Basic and gives no digest: the password goes along, the digest is computed', async () => {
    const fake = await registry();
    fake.login = { type: 'basic', username: 'AWS', password: 'ecr-canary' };
    fake.script((request, response) => {
      if (!request.headers.authorization) return false;
      response.writeHead(200, { 'content-type': mediaTypes.OCI_MANIFEST }).end(SAMPLE_MANIFEST);
      return true;
    });
    const { pull, logText } = pullFrom(fake, { credential: () => credentialOf('AWS', 'ecr-canary') });
    expect((await pull()).digest).toBe(sha256(SAMPLE_MANIFEST));
    expect(logText()).not.toContain('canary');
  });
});

describe('missing and forbidden', () => {
  it('Docker Hub answers 401 for a repository that does not exist: refused, and the rest goes on', async () => {
    const fake = await registry();
    const tokens = await tokenServer({ token: 't' });
    fake.login = { type: 'bearer', realm: tokens.realm, accepts: (token) => token === 't' };
    const { pull, upstream } = pullFrom(fake, { realms: [tokens.origin] });
    await pull();
    fake.next(2, '/blobs/', (_request, response) =>
      challenge(response, `Bearer realm="${tokens.realm}",service="registry",error="insufficient_scope"`),
    );
    const digest = sha256('missing');
    await expect(upstream.blobHead(REPOSITORY, digest, { signal: signal() })).rejects.toMatchObject({
      kind: 'refused',
    });
    await pull();
  });

  it('503 and 429 of an upstream are never told as missing', async () => {
    const fake = await registry();
    const { pull } = pullFrom(fake);
    for (const [status, kind] of [
      [503, 'unreachable'],
      [429, 'rate-limited'],
    ] as const) {
      fake.next(3, '/manifests/', (_request, response) => response.writeHead(status).end());
      await expect(pull()).rejects.toMatchObject({ kind });
    }
  });
});

describe('content', () => {
  it('a media type with parameters is the media type', async () => {
    const fake = await registry();
    fake.next(1, '/manifests/', (_request, response) => {
      response.setHeader('content-type', `${mediaTypes.OCI_MANIFEST}; charset=utf-8`);
      response.end(SAMPLE_MANIFEST);
    });
    expect((await pullFrom(fake).pull()).mediaType).toBe(mediaTypes.OCI_MANIFEST);
  });

  it('a HEAD without a length costs a GET, and says the right one', async () => {
    const fake = await registry();
    fake.next(1, '/manifests/', (_request, response) => response.writeHead(200).end());
    expect((await pullFrom(fake).head()).sizeBytes).toBe(SAMPLE_MANIFEST.length);
  });

  it('a digest of another manifest in the header is refused', async () => {
    const fake = await registry();
    fake.next(1, '/manifests/', (_request, response) => {
      response.setHeader('docker-content-digest', sha256('another'));
      response.end(SAMPLE_MANIFEST);
    });
    await expect(pullFrom(fake).pull()).rejects.toMatchObject({ kind: 'faulty' });
  });

  it('no Accept-Ranges and yet a closed range is honoured: a broken layer goes on by range', async () => {
    const fake = await registry();
    const layer = content(200_000);
    const digest = fake.addBlob(layer);
    fake.next(1, '/blobs/', (_request, response) => {
      response.writeHead(200, { 'content-length': layer.length });
      response.write(layer.subarray(0, 100_000), () => response.socket?.resetAndDestroy());
    });
    const { upstream } = pullFrom(fake);
    const answer = await upstream.blob(REPOSITORY, digest, { delivery: 'stream', signal: signal() });
    if (answer.type !== 'content') throw new Error('no content');
    expect(await readAll(answer.body)).toEqual(layer);
    expect(fake.requests.at(-1)?.headers.range).toMatch(/^bytes=\d+-199999$/);
  });

  it('every request asks for bytes as they are stored', async () => {
    const fake = await registry();
    const tokens = await tokenServer({ token: 't' });
    fake.login = { type: 'bearer', realm: tokens.realm, accepts: () => true };
    const { upstream, pull } = pullFrom(fake, { realms: [tokens.origin] });
    await pull();
    const digest = fake.addBlob(Buffer.from('layer'));
    const answer = await upstream.blob(REPOSITORY, digest, { delivery: 'stream', signal: signal() });
    if (answer.type === 'content') await readAll(answer.body);
    const all = [...fake.requests, ...tokens.requests];
    expect(all.length).toBeGreaterThan(3);
    expect(new Set(all.map(({ headers }) => headers['accept-encoding']))).toEqual(new Set(['identity']));
  });
});

describe('lists', () => {
  it('a Link to another host is read for its query alone, and nobody goes there', async () => {
    const stranger = await startServer((_request, response) => void response.end('{}'));
    const fake = await registry();
    fake.next(1, '/tags/list', (_request, response) => {
      response.setHeader('link', `<${stranger.origin}/v2/other/tags/list?last=b&n=2>; rel="next"`);
      response.end('{"name":"team/app","tags":["a","b"]}');
    });
    fake.next(1, '/tags/list', (_request, response) => void response.end('{"tags":["c"]}'));
    const { upstream } = pullFrom(fake);
    const first = await upstream.tags(REPOSITORY, {
      query: new URLSearchParams({ n: '2' }),
      signal: signal(),
    });
    expect(first.next?.toString()).toBe('last=b&n=2');
    const query = first.next ?? new URLSearchParams();
    expect((await upstream.tags(REPOSITORY, { query, signal: signal() })).tags).toEqual(['c']);
    expect(fake.requests.at(-1)?.path).toBe('/v2/team/app/tags/list?last=b&n=2');
    expect(stranger.connectionCount).toBe(0);
  });

  it('tags: null is an empty list', async () => {
    const fake = await registry();
    fake.next(1, '/tags/list', (_request, response) => void response.end('{"name":"team/app","tags":null}'));
    const page = await pullFrom(fake).upstream.tags(REPOSITORY, {
      query: new URLSearchParams(),
      signal: signal(),
    });
    expect(page.tags).toEqual([]);
  });
});

it('containerd gives up after 30 s without a header: by default a registry has less than that', () => {
  const { answerTimeout, connectTimeout } = upstreamOptions.parse({ url: 'https://registry.example.com' });
  expect(answerTimeout).toBeLessThan(30_000);
  expect(connectTimeout).toBeLessThan(answerTimeout);
});
