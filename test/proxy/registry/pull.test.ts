import { afterEach, describe, expect, it } from 'vitest';
import { digestOf, mediaTypes } from '../../../src/oci/index.ts';
import { UpstreamError, type UpstreamErrorKind } from '../../../src/proxy/upstream/index.ts';
import { memoryUpstream } from './support/memory-upstream.ts';
import { bearer, type StartedRegistry, type StartOptions, startRegistry } from './support/start-registry.ts';

let registry: StartedRegistry | undefined;

afterEach(async () => {
  await registry?.close();
});

async function start(options: StartOptions): Promise<StartedRegistry> {
  registry = await startRegistry(options);
  return registry;
}

function errorCode(body: unknown): string {
  return (body as { errors: { code: string }[] }).errors[0]?.code ?? '';
}

const MISSING = digestOf(Buffer.from('not here'));

describe('manifests', () => {
  it('come by tag and by digest, byte for byte, with digest, type and length', async () => {
    const upstream = memoryUpstream();
    const content = Buffer.from('{"schemaVersion":2,  "odd": "spacing"}');
    const digest = upstream.putManifest('app', content, 'v1', mediaTypes.DOCKER_MANIFEST);
    const { url } = await start({ upstreams: [upstream] });
    for (const reference of ['v1', digest]) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await fetch(`${url}/v2/app/manifests/${reference}`, { method, headers: bearer() });
        expect(answer.status).toBe(200);
        expect(answer.headers.get('docker-content-digest')).toBe(digest);
        expect(answer.headers.get('content-type')).toBe(mediaTypes.DOCKER_MANIFEST);
        expect(answer.headers.get('content-length')).toBe(String(content.length));
        expect(answer.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
        expect(
          Buffer.from(await answer.arrayBuffer()).equals(method === 'GET' ? content : Buffer.alloc(0)),
        ).toBe(true);
      }
    }
  });

  it('pass on what the client accepts', async () => {
    const seen: (readonly string[])[] = [];
    const upstream = memoryUpstream('m', {
      manifest: async (_repository, _reference, { accept }) => {
        seen.push(accept);
        throw new UpstreamError('not-found', 'no');
      },
    });
    const { url } = await start({ upstreams: [upstream] });
    await fetch(`${url}/v2/app/manifests/v1`, {
      headers: { ...bearer(), accept: `${mediaTypes.OCI_INDEX}, a/b;q=0.5` },
    });
    await fetch(`${url}/v2/app/manifests/v1`, { headers: { ...bearer(), accept: '*/*' } });
    expect(seen).toEqual([[mediaTypes.OCI_INDEX, 'a/b;q=0.5'], []]);
  });
});

describe('blobs', () => {
  const content = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index % 251));

  it('come whole, by range and by HEAD', async () => {
    const upstream = memoryUpstream();
    const digest = upstream.putBlob('app', content);
    const { url } = await start({ upstreams: [upstream] });
    const get = (range?: string, method = 'GET') =>
      fetch(`${url}/v2/app/blobs/${digest}`, { method, headers: { ...bearer(), ...(range && { range }) } });

    const whole = await get();
    expect(whole.status).toBe(200);
    expect(whole.headers.get('docker-content-digest')).toBe(digest);
    expect(Buffer.from(await whole.arrayBuffer()).equals(content)).toBe(true);

    const part = await get('bytes=100-9999');
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe('bytes 100-9999/50000');
    expect(Buffer.from(await part.arrayBuffer()).equals(content.subarray(100, 10_000))).toBe(true);

    const open = await get('bytes=49990-');
    expect(open.headers.get('content-range')).toBe('bytes 49990-49999/50000');
    expect((await open.arrayBuffer()).byteLength).toBe(10);

    expect((await get('bytes=0-1,5-6')).status).toBe(200);
    const outside = await get('bytes=50000-');
    expect(outside.status).toBe(416);
    expect(errorCode(await outside.json())).toBe('RANGE_INVALID');

    const head = await get(undefined, 'HEAD');
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe('50000');
    expect(head.headers.get('accept-ranges')).toBe('bytes');
  });

  it('hand a redirect on where the route says so', async () => {
    const asked: string[] = [];
    const upstream = memoryUpstream('m', {
      blob: async (_repository, _digest, { delivery }) => {
        asked.push(delivery);
        return { type: 'redirect', location: 'https://storage.example.com/x?signature=1' };
      },
    });
    const { url } = await start({ upstreams: [upstream], routes: [{ upstream: 'm', blobs: 'redirect' }] });
    const answer = await fetch(`${url}/v2/app/blobs/${MISSING}`, { headers: bearer(), redirect: 'manual' });
    expect(answer.status).toBe(307);
    expect(answer.headers.get('location')).toBe('https://storage.example.com/x?signature=1');
    expect(asked).toEqual(['redirect']);
  });

  it('break the connection when the source fails on the way', async () => {
    const upstream = memoryUpstream('m', {
      blob: async () => ({
        type: 'content',
        sizeBytes: 10,
        part: undefined,
        mediaType: 'x',
        body: (async function* () {
          yield Buffer.from('12345');
          throw new UpstreamError('faulty', 'wrong digest');
        })(),
      }),
    });
    const { url, logged, audit } = await start({ upstreams: [upstream] });
    const answer = await fetch(`${url}/v2/app/blobs/${MISSING}`, { headers: bearer() });
    await expect(answer.arrayBuffer()).rejects.toThrow();
    await expect.poll(() => audit().at(-1)).toMatchObject({ complete: false, bytes: 5, status: 200 });
    expect(logged()).toContain('wrong digest');
  });

  it('of unknown length break without an end when the source fails', async () => {
    const upstream = memoryUpstream('m', {
      blob: async () => ({
        type: 'content',
        sizeBytes: undefined,
        part: undefined,
        mediaType: 'x',
        body: (async function* () {
          yield Buffer.from('12345');
          throw new UpstreamError('faulty', 'wrong digest');
        })(),
      }),
    });
    const { url } = await start({ upstreams: [upstream] });
    const answer = await fetch(`${url}/v2/app/blobs/${MISSING}`, { headers: bearer() });
    await expect(answer.arrayBuffer()).rejects.toThrow();
  });

  it('free the source when the client goes away', async () => {
    let aborted: (reason: unknown) => void = () => {};
    let left: () => void = () => {};
    const abortSeen = new Promise((resolve) => {
      aborted = resolve;
    });
    const sourceLeft = new Promise<void>((resolve) => {
      left = resolve;
    });
    const upstream = memoryUpstream('m', {
      blob: async (_repository, _digest, { signal }) => {
        signal.addEventListener('abort', () => aborted(signal.reason));
        return {
          type: 'content',
          sizeBytes: 1_000_000_000,
          part: undefined,
          mediaType: 'x',
          body: (async function* () {
            try {
              for (;;) yield Buffer.alloc(65_536);
            } finally {
              left();
            }
          })(),
        };
      },
    });
    const { url } = await start({ upstreams: [upstream] });
    const client = new AbortController();
    const answer = await fetch(`${url}/v2/app/blobs/${MISSING}`, {
      headers: bearer(),
      signal: client.signal,
    });
    await answer.body?.getReader().read();
    client.abort();
    await abortSeen;
    await sourceLeft;
  });
});

describe('lists', () => {
  it('pages tags with a Link in the client’s names', async () => {
    const upstream = memoryUpstream();
    for (const tag of ['a', 'b', 'c']) upstream.putManifest('up/app', Buffer.from('{}'), tag);
    const { url } = await start({
      upstreams: [upstream],
      routes: [{ match: { path: 'x' }, upstream: 'memory', repository: 'up/{name}' }],
    });
    const first = await fetch(`${url}/v2/x/app/tags/list?n=2`, { headers: bearer() });
    expect(await first.json()).toEqual({ name: 'x/app', tags: ['a', 'b'] });
    const link = first.headers.get('link') ?? '';
    expect(link).toBe('</v2/x/app/tags/list?n=2&last=b>; rel="next"');
    const second = await fetch(url + link.slice(1, link.indexOf('>')), { headers: bearer() });
    expect(await second.json()).toEqual({ name: 'x/app', tags: ['c'] });
    expect(second.headers.get('link')).toBeNull();
    const none = await fetch(`${url}/v2/x/app/tags/list?n=0`, { headers: bearer() });
    expect(await none.json()).toEqual({ name: 'x/app', tags: [] });
  });

  it('never asks an upstream for more than 1000 entries', async () => {
    const asked: (string | null)[] = [];
    const upstream = memoryUpstream('m', {
      tags: async (_repository, { query }) => {
        asked.push(query.get('n'));
        return { tags: [], next: undefined };
      },
    });
    const { url } = await start({ upstreams: [upstream] });
    await fetch(`${url}/v2/app/tags/list?n=99999999`, { headers: bearer() });
    expect(asked).toEqual(['1000']);
    for (const n of ['-1', 'x', '1e3', '99999999999999999999', '']) {
      const answer = await fetch(`${url}/v2/app/tags/list?n=${n}`, { headers: bearer() });
      expect(errorCode(await answer.json()), n).toBe('PAGINATION_NUMBER_INVALID');
      expect(answer.status).toBe(400);
    }
  });

  it('filters referrers by artifact type where the upstream did not, and never answers 404', async () => {
    const upstream = memoryUpstream();
    const subject = upstream.putManifest('app', Buffer.from('{}'), 'v1');
    const descriptor = (artifactType: string) => ({
      mediaType: mediaTypes.OCI_MANIFEST,
      digest: MISSING,
      size: 1,
      artifactType,
    });
    upstream.putReferrer('app', subject, descriptor('sbom'));
    upstream.putReferrer('app', subject, descriptor('signature'));
    const { url } = await start({ upstreams: [upstream] });
    const all = await fetch(`${url}/v2/app/referrers/${subject}`, { headers: bearer() });
    expect(all.headers.get('content-type')).toBe(mediaTypes.OCI_INDEX);
    expect(((await all.json()) as { manifests: unknown[] }).manifests).toHaveLength(2);
    const some = await fetch(`${url}/v2/app/referrers/${subject}?artifactType=sbom`, { headers: bearer() });
    expect(some.headers.get('oci-filters-applied')).toBe('artifactType');
    expect(((await some.json()) as { manifests: unknown[] }).manifests).toEqual([descriptor('sbom')]);
    const none = await fetch(`${url}/v2/app/referrers/${MISSING}`, { headers: bearer() });
    expect(await none.json()).toMatchObject({ manifests: [] });
  });

  it('lists the repositories of all upstreams that this caller may pull, filtered before it pages', async () => {
    const one = memoryUpstream('one');
    const other = memoryUpstream('other');
    const silent = memoryUpstream('silent', {
      catalog: async () => {
        throw new UpstreamError('unsupported', 'no catalog');
      },
    });
    for (const name of ['b', 'secret', 'd']) one.putManifest(name, Buffer.from('{}'), 'v1');
    for (const name of ['proj/a', 'proj/c', 'elsewhere']) other.putManifest(name, Buffer.from('{}'), 'v1');
    const { url, audit } = await start({
      upstreams: [one, other, silent],
      routes: [
        { match: { path: 'x' }, upstream: 'other', repository: 'proj/{name}' },
        { match: { path: 'y' }, upstream: 'silent' },
        { upstream: 'one' },
      ],
      rules: [{ name: 'r', repositories: ['b', 'd', 'x/*'], actions: ['pull'] }],
    });
    const pages: unknown[] = [];
    let path: string | undefined = '/v2/_catalog?n=3';
    while (path) {
      const answer: Response = await fetch(url + path, { headers: bearer() });
      pages.push(((await answer.json()) as { repositories: string[] }).repositories);
      path = /<([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    expect(pages).toEqual([['b', 'd', 'x/a'], ['x/c']]);
    expect(audit()[0]).toMatchObject({ action: 'list', outcome: 'allowed', name: 'anna' });
  });
});

describe('doors', () => {
  it('lead by namespace, echo it and keep it in links', async () => {
    const hub = memoryUpstream('hub');
    for (const tag of ['a', 'b']) hub.putManifest('library/alpine', Buffer.from('{}'), tag);
    const { url, port } = await start({
      upstreams: [hub],
      routes: [{ match: { namespace: 'docker.io' }, upstream: 'hub' }],
    });
    const answer = await fetch(`${url}/v2/library/alpine/tags/list?ns=docker.io&n=1`, { headers: bearer() });
    expect(answer.headers.get('oci-namespace')).toBe('docker.io');
    expect(answer.headers.get('link')).toBe(
      '</v2/library/alpine/tags/list?n=1&last=a&ns=docker.io>; rel="next"',
    );
    for (const query of ['?ns=169.254.169.254', '?ns=quay.io', '', `?ns=127.0.0.1:${port}`]) {
      const unknown = await fetch(`${url}/v2/library/alpine/tags/list${query}`, { headers: bearer() });
      expect(unknown.status, query).toBe(404);
      expect(errorCode(await unknown.json())).toBe('NAME_UNKNOWN');
    }
    for (const query of ['?ns=a&ns=b', '?ns=http://x/', '?ns=']) {
      expect((await fetch(`${url}/v2/a/tags/list${query}`, { headers: bearer() })).status, query).toBe(400);
    }
  });
});

describe('an upstream in trouble', () => {
  const cases: [UpstreamErrorKind, number, string][] = [
    ['not-found', 404, 'BLOB_UNKNOWN'],
    ['refused', 502, 'UNAVAILABLE'],
    ['rate-limited', 429, 'TOOMANYREQUESTS'],
    ['unreachable', 503, 'UNAVAILABLE'],
    ['faulty', 502, 'UNAVAILABLE'],
    ['unsafe', 502, 'UNAVAILABLE'],
    ['unsupported', 405, 'UNSUPPORTED'],
    ['range', 416, 'RANGE_INVALID'],
  ];

  it.each(cases)('%s is %i %s, and its own words stay in the log', async (kind, status, code) => {
    const fail = async () => {
      throw new UpstreamError(kind, 'internal.upstream.example said no', {
        retryAfter: kind === 'rate-limited' ? '17' : undefined,
      });
    };
    const { url } = await start({ upstreams: [memoryUpstream('m', { blob: fail, blobHead: fail })] });
    const answer = await fetch(`${url}/v2/app/blobs/${MISSING}`, { headers: bearer() });
    const text = await answer.text();
    expect(answer.status).toBe(status);
    expect(errorCode(JSON.parse(text))).toBe(code);
    expect(text).not.toContain('upstream.example');
    expect(answer.headers.get('retry-after')).toBe(kind === 'rate-limited' ? '17' : null);
    const head = await fetch(`${url}/v2/app/blobs/${MISSING}`, { method: 'HEAD', headers: bearer() });
    expect(head.status).toBe(status);
  });

  it('names what is missing by what was asked', async () => {
    const { url } = await start({ upstreams: [memoryUpstream()] });
    const codes: Record<string, string> = {};
    for (const path of ['manifests/v1', `blobs/${MISSING}`, 'tags/list']) {
      const answer = await fetch(`${url}/v2/app/${path}`, { headers: bearer() });
      codes[path] = errorCode(await answer.json());
    }
    expect(Object.values(codes)).toEqual(['MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'NAME_UNKNOWN']);
  });

  it('a defect of ours is 500 UNKNOWN without its words', async () => {
    const manifest = async () => {
      throw new TypeError('canary');
    };
    const { url, logged } = await start({ upstreams: [memoryUpstream('m', { manifest })] });
    const answer = await fetch(`${url}/v2/app/manifests/v1`, { headers: bearer() });
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('canary');
    expect(logged()).toContain('canary');
  });
});
