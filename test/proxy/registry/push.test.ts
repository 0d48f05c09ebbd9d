import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../../src/oci/index.ts';
import { sha256 } from '../upstream/support/fake-registry.ts';
import { memoryStore } from './support/memory-store.ts';
import { memoryUpstream } from './support/memory-upstream.ts';
import { PUSH_ALL, startPushSite } from './support/push-site.ts';
import { bearer } from './support/start-registry.ts';

const CONTENT = Buffer.from('the bytes of a layer');
const DIGEST = sha256(CONTENT);
const MANIFEST = Buffer.from(JSON.stringify({ schemaVersion: 2, config: {}, layers: [] }));
const MIB = 1024 * 1024;

interface Sent {
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string;
  readonly token?: Parameters<typeof bearer>[0];
}

async function ask(method: string, url: string, { headers, body, token }: Sent = {}) {
  const answer = await fetch(url, {
    method,
    headers: { ...bearer(token), ...headers },
    ...(body !== undefined && { body: new Uint8Array(Buffer.from(body)) }),
  });
  const text = await answer.text();
  const code = /"code":"([A-Z_]+)"/.exec(text)?.[1];
  const location = answer.headers.get('location') ?? '';
  return { status: answer.status, headers: answer.headers, code, text, location };
}

describe('an upload through the proxy', () => {
  it('goes from step to step by the proxy’s own places, which show nothing of the upstream', async () => {
    const { registry, upstream } = await startPushSite();
    upstream.locationOf = (path, size) => `${upstream.origin}${path}?_state=canary-${size}`;
    const start = await ask('POST', `${registry.url}/v2/app/blobs/uploads/`);
    expect([start.status, start.headers.get('range')]).toEqual([202, '0-0']);
    const first = await ask('PATCH', registry.url + start.location, {
      body: CONTENT.subarray(0, 5),
      headers: { 'content-range': '0-4' },
    });
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-4']);
    const progress = await ask('GET', registry.url + first.location);
    expect([progress.status, progress.headers.get('range')]).toEqual([204, '0-4']);
    const end = await ask('PUT', `${registry.url}${progress.location}?digest=${DIGEST}`, {
      body: CONTENT.subarray(5),
    });
    expect([end.status, end.location]).toEqual([201, `/v2/app/blobs/${DIGEST}`]);
    expect(end.headers.get('docker-content-digest')).toBe(DIGEST);
    expect(upstream.blobs.get(DIGEST)).toEqual(CONTENT);
    for (const { location, headers } of [start, first, progress, end]) {
      expect(location).toMatch(/^\/v2\/app\/blobs\/[\w/:=.-]+$/);
      expect(JSON.stringify([...headers])).not.toMatch(/team|canary|_state/);
    }
    await expect
      .poll(() => registry.audit().at(-1), { timeout: 10_000 })
      .toMatchObject({
        action: 'push',
        repository: 'app',
        reference: DIGEST,
        upstream: 'test',
        rule: 'all',
        status: 201,
        received: CONTENT.length - 5,
      });
  });

  it('by POST alone is one of two steps at the upstream', async () => {
    const { registry, upstream } = await startPushSite();
    const url = `${registry.url}/v2/app/blobs/uploads/?digest=${DIGEST}`;
    expect(await ask('POST', url, { body: CONTENT })).toMatchObject({ status: 201 });
    expect(upstream.requests.map(({ method }) => method)).toEqual(['POST', 'PUT']);
    expect(upstream.blobs.get(DIGEST)).toEqual(CONTENT);
  });

  it('of what a client calls a form is the same bytes', async () => {
    const { registry, upstream } = await startPushSite();
    const url = `${registry.url}/v2/app/blobs/uploads/?digest=${DIGEST}`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await ask('POST', url, { body: CONTENT, headers })).toMatchObject({ status: 201 });
    expect(upstream.blobs.get(DIGEST)).toEqual(CONTENT);
  });

  it('goes on at another replica with the same key, and at none with another', async () => {
    const state = memoryStore();
    const { registry, upstream } = await startPushSite({ state });
    const replica = await startPushSite({ state }, upstream);
    const stranger = await startPushSite({ state, secretKey: Buffer.alloc(32, 's') }, upstream);
    const { location } = await ask('POST', `${registry.url}/v2/app/blobs/uploads/`);
    const { url } = stranger.registry;
    const refused = await ask('PATCH', url + location, { body: CONTENT });
    expect([refused.status, refused.code]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    expect(await ask('PATCH', replica.registry.url + location, { body: CONTENT })).toMatchObject({
      status: 202,
    });
  });

  it('is nobody else’s: another identity, another repository, another registry', async () => {
    const { registry, upstream } = await startPushSite();
    const { location } = await ask('POST', `${registry.url}/v2/app/blobs/uploads/`);
    const before = upstream.requests.length;
    const tries = [
      ask('PATCH', registry.url + location, { body: 'x', token: { identity: { name: 'ben' } } }),
      ask('PATCH', registry.url + location, {
        body: 'x',
        token: { identity: { verifier: 'other', name: 'anna' } },
      }),
      ask('PATCH', registry.url + location.replace('/app/', '/other/'), { body: 'x' }),
      ask('GET', `${registry.url}/v2/app/blobs/uploads/${'A'.repeat(64)}`),
      ask('PUT', `${registry.url}/v2/app/blobs/uploads/..%2f?digest=${DIGEST}`, { body: 'x' }),
    ];
    for (const { status } of await Promise.all(tries)) expect(status).toBe(404);
    expect(upstream.requests.length).toBe(before);
  });

  it.each([
    ['out of order', { 'content-range': '7-9' }, 416, 'RANGE_INVALID'],
    ['with a range that is none', { 'content-range': 'all' }, 400, 'RANGE_INVALID'],
    ['of another length', { 'content-range': '0-9' }, 400, 'SIZE_INVALID'],
  ])('refuses a chunk %s, and does not ask the upstream', async (_what, headers, status, code) => {
    const { registry, upstream } = await startPushSite();
    const { location } = await ask('POST', `${registry.url}/v2/app/blobs/uploads/`);
    const answer = await ask('PATCH', registry.url + location, { body: 'abc', headers });
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(upstream.requests.map(({ method }) => method)).toEqual(['POST']);
  });

  it('says how much is there where the upstream does not', async () => {
    const { registry, upstream } = await startPushSite();
    upstream.saysRange = false;
    const { location } = await ask('POST', `${registry.url}/v2/app/blobs/uploads/`);
    const sent = await ask('PATCH', registry.url + location, { body: CONTENT });
    expect(sent.headers.get('range')).toBe('0-19');
  });

  it('is cancelled', async () => {
    const { registry, upstream } = await startPushSite();
    const { location } = await ask('POST', `${registry.url}/v2/app/blobs/uploads/`);
    expect((await ask('DELETE', registry.url + location)).status).toBe(204);
    expect(upstream.uploads.size).toBe(0);
  });

  it('without a digest, or with one that is none: DIGEST_INVALID', async () => {
    const { registry } = await startPushSite();
    const { location } = await ask('POST', `${registry.url}/v2/app/blobs/uploads/`);
    for (const query of ['', '?digest=', '?digest=sha256:abc', '?digest=md5:abc']) {
      const answer = await ask('PUT', registry.url + location + query, { body: CONTENT });
      expect([answer.status, answer.code]).toEqual([400, 'DIGEST_INVALID']);
    }
  });

  it('by way of a mirror keeps the name of what it mirrors', async () => {
    const routes = [
      { match: { namespace: 'docker.io' }, upstream: 'test', repository: 'team/{name}', push: true },
    ];
    const { registry } = await startPushSite({ routes });
    const { location } = await ask('POST', `${registry.url}/v2/app/blobs/uploads/?ns=docker.io`);
    expect(location).toMatch(/\?ns=docker\.io$/);
    const end = await ask('PUT', `${registry.url}${location}&digest=${DIGEST}`, { body: CONTENT });
    expect(end.status).toBe(201);
  });

  it('passes on no header of the upstream but those of the protocol', async () => {
    const { registry, upstream } = await startPushSite();
    upstream.script((_request, response) => {
      for (const name of ['set-cookie', 'server', 'x-internal', 'via', 'x-amz-id', 'warning']) {
        response.setHeader(name, 'canary');
      }
      response.setHeader('oci-chunk-min-length', '10');
      return false;
    });
    const start = await ask('POST', `${registry.url}/v2/app/blobs/uploads/`);
    const put = await ask('PUT', `${registry.url}/v2/app/manifests/v1`, {
      body: MANIFEST,
      headers: { 'content-type': mediaTypes.OCI_MANIFEST },
    });
    expect(JSON.stringify([...start.headers, ...put.headers])).not.toContain('canary');
    expect(start.headers.get('oci-chunk-min-length')).toBe('10');
  });

  it('tells an upstream’s refusal by its code, and not in its words', async () => {
    const { registry, upstream } = await startPushSite();
    upstream.script((_request, response) => {
      const error = { code: 'DENIED', message: 'team/app is canary' };
      response.writeHead(403).end(JSON.stringify({ errors: [error] }));
    });
    const answer = await ask('POST', `${registry.url}/v2/app/blobs/uploads/`);
    expect([answer.status, answer.code]).toEqual([403, 'DENIED']);
    expect(answer.text).not.toMatch(/team|canary/);
  });

  it('tells an upstream’s 429 with its Retry-After', async () => {
    const { registry, upstream } = await startPushSite();
    upstream.script((_request, response) => void response.writeHead(429, { 'retry-after': '60' }).end());
    const answer = await ask('POST', `${registry.url}/v2/app/blobs/uploads/`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '60']);
  });
});

describe('a manifest', () => {
  const TYPE = { 'content-type': mediaTypes.OCI_MANIFEST };

  it('arrives in its exact bytes, by tag and by digest', async () => {
    const { registry, upstream } = await startPushSite();
    for (const reference of ['v1', sha256(MANIFEST)]) {
      const answer = await ask('PUT', `${registry.url}/v2/app/manifests/${reference}`, {
        body: MANIFEST,
        headers: TYPE,
      });
      expect([answer.status, answer.location]).toEqual([201, `/v2/app/manifests/${sha256(MANIFEST)}`]);
      expect(answer.headers.get('docker-content-digest')).toBe(sha256(MANIFEST));
      expect(upstream.manifests.get(reference)).toEqual({ content: MANIFEST, type: mediaTypes.OCI_MANIFEST });
    }
  });

  it('by digest with tags sets each, also where the upstream knows no tag=', async () => {
    const { registry, upstream } = await startPushSite();
    const url = `${registry.url}/v2/app/manifests/${sha256(MANIFEST)}?tag=a&tag=b&tag=a`;
    const answer = await ask('PUT', url, { body: MANIFEST, headers: TYPE });
    expect([answer.status, answer.headers.get('oci-tag')]).toEqual([201, 'a, b']);
    expect(upstream.manifests.get('a')).toEqual(upstream.manifests.get('b'));
    expect(upstream.requests).toHaveLength(3);
  });

  it('by digest with tags is one request where the upstream says that it has set them', async () => {
    const { registry, upstream } = await startPushSite();
    upstream.script((request, response) => {
      request.resume();
      response.setHeader('oci-tag', ['a, b', 'c']).writeHead(201).end();
    });
    const url = `${registry.url}/v2/app/manifests/${sha256(MANIFEST)}?tag=a&tag=b&tag=c`;
    expect((await ask('PUT', url, { body: MANIFEST, headers: TYPE })).status).toBe(201);
    expect(upstream.requests.map(({ path }) => path)).toEqual([
      `/v2/team/app/manifests/${sha256(MANIFEST)}?tag=a&tag=b&tag=c`,
    ]);
  });

  it('tells whom it refers to when the upstream has taken note', async () => {
    const { registry, upstream } = await startPushSite();
    const answerWith = (subject: string) =>
      upstream.script((request, response) => {
        request.resume();
        response.writeHead(201, { 'oci-subject': subject }).end();
      });
    answerWith(DIGEST);
    const url = `${registry.url}/v2/app/manifests/v1`;
    const answer = await ask('PUT', url, { body: MANIFEST, headers: TYPE });
    expect(answer.headers.get('oci-subject')).toBe(DIGEST);
  });

  const twoFaced = JSON.stringify({ schemaVersion: 2, config: {}, layers: [], manifests: [] });
  it.each([
    ['the digest of another', DIGEST, MANIFEST, TYPE, 400, 'DIGEST_INVALID'],
    ['too many bytes', 'v1', Buffer.alloc(4 * MIB + 1, ' '), TYPE, 413, 'SIZE_INVALID'],
    ['no media type', 'v1', MANIFEST, {}, 400, 'MANIFEST_INVALID'],
    ['no JSON', 'v1', '{', TYPE, 400, 'MANIFEST_INVALID'],
    ['no bytes', 'v1', '', TYPE, 400, 'MANIFEST_INVALID'],
    ['two faces', 'v1', twoFaced, TYPE, 400, 'MANIFEST_INVALID'],
    ['a tag beside a tag', 'v1?tag=v2', MANIFEST, TYPE, 400, 'UNSUPPORTED'],
    ['a tag that is none', `${sha256(MANIFEST)}?tag=a/b`, MANIFEST, TYPE, 400, 'TAG_INVALID'],
  ])(
    'with %s is refused before the upstream is asked',
    async (_what, reference, body, headers, status, code) => {
      const { registry, upstream } = await startPushSite();
      const answer = await ask('PUT', `${registry.url}/v2/app/manifests/${reference}`, { body, headers });
      expect([answer.status, answer.code]).toEqual([status, code]);
      expect(upstream.requests).toEqual([]);
    },
  );

  it('is deleted, and so is a blob', async () => {
    const { registry, upstream } = await startPushSite();
    upstream.blobs.set(DIGEST, CONTENT);
    upstream.manifests.set('v1', { content: MANIFEST, type: '' });
    expect((await ask('DELETE', `${registry.url}/v2/app/blobs/${DIGEST}`)).status).toBe(202);
    expect((await ask('DELETE', `${registry.url}/v2/app/manifests/v1`)).status).toBe(202);
    expect([upstream.blobs.size, upstream.manifests.size]).toEqual([0, 0]);
    const again = await ask('DELETE', `${registry.url}/v2/app/manifests/v1`);
    expect([again.status, again.code]).toEqual([404, 'MANIFEST_UNKNOWN']);
  });

  it('whose tag can not be deleted alone: UNSUPPORTED', async () => {
    const { registry, upstream } = await startPushSite();
    upstream.script((_request, response) => {
      response.writeHead(400).end('{"errors":[{"code":"DIGEST_INVALID"}]}');
    });
    const answer = await ask('DELETE', `${registry.url}/v2/app/manifests/v1`);
    expect([answer.status, answer.code]).toEqual([405, 'UNSUPPORTED']);
  });
});

describe('where nothing is written', () => {
  const writes = [
    ['POST', '/v2/NAME/blobs/uploads/'],
    ['PATCH', '/v2/NAME/blobs/uploads/1'],
    ['PUT', `/v2/NAME/blobs/uploads/1?digest=${DIGEST}`],
    ['PUT', '/v2/NAME/manifests/v1'],
    ['DELETE', '/v2/NAME/manifests/v1'],
    ['DELETE', `/v2/NAME/blobs/${DIGEST}`],
  ] as const;

  it('a route without push: true says what to do, and asks nobody', async () => {
    const { registry, upstream } = await startPushSite();
    for (const [method, path] of writes) {
      const answer = await ask(method, registry.url + path.replace('NAME', 'frozen/app'));
      expect([answer.status, answer.code], `${method} ${path}`).toEqual([405, 'UNSUPPORTED']);
      expect(answer.text).toContain('push: true');
    }
    expect(upstream.requests).toEqual([]);
  });

  it('an upstream without a writing side, such as a layout, is UNSUPPORTED too', async () => {
    const routes = [{ upstream: 'memory', push: true }];
    const { registry } = await startPushSite({ upstreams: [memoryUpstream()], routes, rules: PUSH_ALL });
    for (const [method, path] of writes) {
      const answer = await ask(method, registry.url + path.replace('NAME', 'app'));
      expect([answer.status, answer.code], `${method} ${path}`).toEqual([405, 'UNSUPPORTED']);
    }
  });
});
