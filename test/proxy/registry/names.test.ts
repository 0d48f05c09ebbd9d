import { request } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mediaTypes } from '../../../src/oci/index.ts';
import { connect } from '../upstream/support/connect.ts';
import { SAMPLE_MANIFEST, sha256, startFakeRegistry } from '../upstream/support/fake-registry.ts';
import { bearer, startRegistry } from './support/start-registry.ts';

const DIGEST = sha256(SAMPLE_MANIFEST);

/** Docker Hub under any of its names, with `library/alpine` and `acme/deep/app`, behind every kind of route at once. */
async function site(spelling = 'registry-1.docker.io') {
  const hub = await startFakeRegistry();
  const known = /^\/v2\/(?:library\/alpine|acme\/deep\/app)\/(manifests\/(?:latest|sha256:.+)|tags\/list)/;
  hub.script(({ url = '', method }, response) => {
    const [, what] = known.exec(url) ?? [];
    if (what === undefined) response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}');
    else if (what === 'tags/list') {
      const name = url.split('/').slice(2, -2).join('/');
      response.setHeader('link', `</v2/${name}/tags/list?n=1&last=latest>; rel="next"`);
      response.end(JSON.stringify({ name, tags: ['latest'] }));
    } else {
      response.writeHead(200, {
        'content-type': mediaTypes.OCI_MANIFEST,
        'content-length': SAMPLE_MANIFEST.length,
        'docker-content-digest': DIGEST,
      });
      response.end(method === 'HEAD' ? undefined : SAMPLE_MANIFEST);
    }
    return true;
  });
  const { upstream } = connect(`http://${spelling}:${hub.port}`, {
    // The name is Docker Hub's, the machine is this one.
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  });
  const proxy = await startRegistry({
    upstreams: [upstream],
    routes: [
      { match: { host: 'docker.example.com', path: 'hub' }, upstream: 'test' },
      { match: { host: 'images.example.com:8443' }, upstream: 'test', repository: 'library/{name}' },
      { match: { host: 'deep.example.com' }, upstream: 'test', repository: 'acme/deep/{name}' },
      { match: { host: 'mirror.example.com' }, upstream: 'test' },
      { match: { namespace: 'docker.io' }, upstream: 'test' },
    ],
  });
  onTestFinished(() => proxy.close());
  const ask = async (host: string, path: string) => {
    const answer = await request(`${proxy.url}/v2/${path}`, { headers: { ...bearer(), host } });
    return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
  };
  return { hub, ask };
}

describe('one upstream by its canonical name, by a vanity host and as a mirror, at once', () => {
  it.each([
    ['canonical, with a prefix', 'docker.example.com', 'hub/library/alpine', ''],
    ['canonical, one segment', 'docker.example.com', 'hub/alpine', ''],
    ['vanity host with a port', 'images.example.com:8443', 'alpine', ''],
    ['vanity host for a nested path', 'deep.example.com', 'app', ''],
    ['canonical, nested path', 'docker.example.com', 'hub/acme/deep/app', ''],
    ["dockerd's mirror", 'mirror.example.com', 'library/alpine', ''],
    ['a host in the place of Docker Hub, one segment', 'mirror.example.com', 'alpine', ''],
    ["containerd's mirror", 'any.example.com', 'library/alpine', 'docker.io'],
    ["containerd's mirror, old spelling", 'any.example.com', 'library/alpine', 'index.docker.io'],
    ["containerd's mirror, name of the server", 'any.example.com', 'alpine', 'registry-1.docker.io'],
  ])('%s', async (_how, host, name, namespace) => {
    const { ask } = await site();
    const query = namespace === '' ? '' : `?ns=${namespace}`;
    const manifest = await ask(host, `${name}/manifests/latest${query}`);
    expect(manifest.status).toBe(200);
    expect(manifest.headers['docker-content-digest']).toBe(DIGEST);
    const tags = await ask(host, `${name}/tags/list${query}`);
    // The client's own name, with no library/ that it has not asked for.
    expect(JSON.parse(tags.body)).toEqual({ name, tags: ['latest'] });
    expect(tags.headers.link).toContain(`</v2/${name}/tags/list?`);
  });

  it.each([
    ['a vanity host on another port', 'images.example.com:9443', 'alpine/manifests/latest'],
    ['a prefix that is none', 'docker.example.com', 'hubs/alpine/manifests/latest'],
    ['another registry', 'any.example.com', 'library/alpine/manifests/latest?ns=quay.io'],
    ['a look-alike', 'any.example.com', 'library/alpine/manifests/latest?ns=docker.io.example.com'],
  ])('not %s: no upstream of last resort is asked', async (_what, host, path) => {
    const { hub, ask } = await site();
    expect((await ask(host, path)).status).toBe(404);
    expect(hub.requests).toHaveLength(0);
  });
});

describe("Docker Hub's spellings", () => {
  it.each(['docker.io', 'index.docker.io', 'registry-1.docker.io'])(
    '%s as the upstream gets library/ for one segment, and nobody else hears of it',
    async (spelling) => {
      const { hub, ask } = await site(spelling);
      await ask('mirror.example.com', 'alpine/manifests/latest');
      const missing = await ask('mirror.example.com', 'nothing/manifests/latest');
      expect(hub.requests.map(({ path, headers }) => `${headers.host?.split(':')[0]} ${path}`)).toEqual([
        'registry-1.docker.io /v2/library/alpine/manifests/latest',
        'registry-1.docker.io /v2/library/nothing/manifests/latest',
      ]);
      expect(missing.status).toBe(404);
      expect(missing.body + JSON.stringify(missing.headers)).not.toMatch(/library|docker\.io/);
    },
  );

  it('a registry that only looks like it gets names as they are', async () => {
    const { hub, ask } = await site('docker.io.example.com');
    await ask('mirror.example.com', 'alpine/manifests/latest');
    expect(hub.requests[0]?.path).toBe('/v2/alpine/manifests/latest');
  });
});

it('an answer from what was last known says so to the client, with its age', async () => {
  const hub = await startFakeRegistry();
  hub.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, 'latest');
  hub.script((_request, response) => {
    response.setHeader('ratelimit-limit', '100;w=21600');
    response.setHeader('ratelimit-remaining', '1;w=21600');
    return false;
  });
  const { upstream, clock } = connect(hub.origin);
  const proxy = await startRegistry({ upstreams: [upstream] });
  onTestFinished(() => proxy.close());
  const pull = (method: string) =>
    fetch(`${proxy.url}/v2/team/app/manifests/latest`, { method, headers: bearer() });
  const first = await pull('GET');
  expect([first.headers.get('age'), first.headers.get('warning')]).toEqual([null, null]);
  hub.addManifest(`${SAMPLE_MANIFEST} `, mediaTypes.OCI_MANIFEST, 'latest');
  clock.advance(42_000);
  for (const method of ['GET', 'HEAD']) {
    const answer = await pull(method);
    expect(answer.headers.get('docker-content-digest')).toBe(DIGEST);
    expect(answer.headers.get('age')).toBe('42');
    expect(answer.headers.get('warning')).toMatch(/^110 - ".*what was last known"$/);
    expect([...answer.headers.keys()].filter((name) => name.startsWith('ratelimit'))).toEqual([]);
  }
});

it('while an upstream has asked to wait, clients hear 429 and for how long, at once', async () => {
  const hub = await startFakeRegistry();
  hub.script((_request, response) => {
    response.writeHead(429, { 'retry-after': '120' }).end();
    return true;
  });
  const { upstream, clock } = connect(hub.origin);
  const proxy = await startRegistry({ upstreams: [upstream] });
  onTestFinished(() => proxy.close());
  const pull = () => fetch(`${proxy.url}/v2/team/app/manifests/latest`, { headers: bearer() });
  expect((await pull()).headers.get('retry-after')).toBe('120');
  clock.advance(100_000);
  const second = await pull();
  expect([second.status, second.headers.get('retry-after')]).toEqual([429, '20']);
  expect(await second.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS' }] });
  expect(hub.requests).toHaveLength(1);
});
