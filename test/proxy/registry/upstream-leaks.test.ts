import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mediaTypes } from '../../../src/oci/index.ts';
import { connect, credentialOf } from '../upstream/support/connect.ts';
import { content, SAMPLE_MANIFEST, startFakeRegistry } from '../upstream/support/fake-registry.ts';
import { startTokenServer } from '../upstream/support/token-server.ts';
import { bearer, startRegistry } from './support/start-registry.ts';

const PASSWORD = 'canary-of-the-upstream';
const SIGNATURE = 'canary-of-a-signature';

/** All that a client may ever hear. */
const HEADERS = new Set([
  'accept-ranges',
  'connection',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'docker-content-digest',
  'docker-distribution-api-version',
  'etag',
  'keep-alive',
  'link',
  'location',
  'oci-filters-applied',
  'retry-after',
  'transfer-encoding',
  'x-content-type-options',
  'x-request-id',
]);

const ODD = Object.fromEntries(
  [
    'Set-Cookie',
    'Server',
    'Via',
    'Age',
    'Vary',
    'Cache-Control',
    'Expires',
    'Last-Modified',
    'Content-Encoding',
    'Content-Disposition',
    'Content-Language',
    'Content-Location',
    'WWW-Authenticate',
    'Proxy-Authenticate',
    'Strict-Transport-Security',
    'Access-Control-Allow-Origin',
    'X-Powered-By',
    'X-Repository',
    'X-GitHub-Request-Id',
    'X-Amz-Request-Id',
    'X-Goog-Hash',
    'X-Ms-Request-Id',
    'X-Served-By',
    'X-Forwarded-For',
    'X-Upstream',
    'RateLimit-Limit',
    'RateLimit-Remaining',
    'Docker-RateLimit-Source',
    'OCI-Subject',
    'OCI-Namespace',
  ].map((name) => [name, `private/name-of-${name.toLowerCase()}`]),
);

async function start() {
  const fake = await startFakeRegistry();
  const tokens = await startTokenServer('acme', PASSWORD);
  fake.login = { type: 'bearer', realm: tokens.realm, accepts: tokens.accepts };
  const manifest = fake.addManifest(SAMPLE_MANIFEST, mediaTypes.OCI_MANIFEST, 'v1');
  const blob = fake.addBlob(content(1000));
  const connected = connect(fake.origin, {
    credential: () => credentialOf('acme', PASSWORD),
    realms: [tokens.origin],
  });
  const registry = await startRegistry({ upstreams: [connected.upstream] });
  onTestFinished(() => registry.close());
  const ask = (path: string, method = 'GET') =>
    fetch(`${registry.url}/v2/team/app/${path}`, { method, headers: bearer(), redirect: 'manual' });
  return { fake, tokens, connected, registry, ask, manifest, blob };
}

describe('what an upstream says besides', () => {
  it('30 odd headers: none comes through, whatever the answer', async () => {
    const { fake, ask, manifest, blob } = await start();
    expect(Object.keys(ODD)).toHaveLength(30);
    fake.script((_request, response) => {
      for (const [name, value] of Object.entries(ODD)) response.setHeader(name, value);
      return false;
    });
    const asked: [method: string, path: string, status: number][] = [
      ['GET', 'manifests/v1', 200],
      ['HEAD', `manifests/${manifest}`, 200],
      ['GET', `blobs/${blob}`, 200],
      ['HEAD', `blobs/${blob}`, 200],
      ['GET', 'manifests/missing', 404],
      ['GET', 'tags/list', 404],
      ['GET', `referrers/${manifest}`, 200],
    ];
    for (const [method, path, status] of asked) {
      const answer = await ask(path, method);
      const told = JSON.stringify([...answer.headers]) + (await answer.text());
      expect(answer.status, `${method} ${path}`).toBe(status);
      expect([...answer.headers.keys()].filter((name) => !HEADERS.has(name))).toEqual([]);
      expect(told).not.toContain('private/');
    }
  });
});

describe('the credential of an upstream', () => {
  const fail = (act: (response: ServerResponse, echo: string) => void) => act;
  it.each([
    ['all is well', undefined],
    ['it is told back in an error', fail((response, echo) => response.writeHead(500).end(echo))],
    ['it is refused', fail((response, echo) => response.writeHead(403, { 'x-echo': echo }).end(echo))],
    [
      'a realm is not allowed',
      fail((response, echo) =>
        response
          .writeHead(401, { 'www-authenticate': `Bearer realm="https://${SIGNATURE}.example/?${echo}"` })
          .end(),
      ),
    ],
    [
      'a redirect is not allowed',
      fail((response) => response.writeHead(307, { location: `http://10.0.0.1/x?sig=${SIGNATURE}` }).end()),
    ],
    ['an answer is no HTTP', fail((response, echo) => response.socket?.end(`nonsense ${echo}\r\n\r\n`))],
    ['a connection breaks', fail((response) => response.socket?.resetAndDestroy())],
    ['a manifest is none', fail((response, echo) => response.end(echo))],
  ])('is in no log, metric or answer when %s', async (_what, act) => {
    const { fake, connected, registry, ask, blob } = await start();
    const seen = new Set<string>([PASSWORD, Buffer.from(`acme:${PASSWORD}`).toString('base64')]);
    fake.script((request, response) => {
      const authorization = request.headers.authorization;
      if (!authorization) return false;
      const token = authorization.split(' ')[1] ?? '';
      seen.add(token);
      if (!act) return false;
      act(response, token);
      return true;
    });
    const answers: string[] = [];
    for (const path of ['manifests/v1', `blobs/${blob}`, 'tags/list']) {
      // A body that turns out wrong breaks the connection, at times before a byte has come.
      const answer = await ask(path).catch(() => undefined);
      if (answer) answers.push(JSON.stringify([...answer.headers]), await answer.text().catch(() => ''));
    }
    expect(seen.size).toBeGreaterThan(2);
    const texts = [
      ...answers,
      registry.logged(),
      connected.logText(),
      await registry.metrics.registry.metrics(),
      await connected.metrics.registry.metrics(),
    ];
    for (const canary of [...seen, `sig=${SIGNATURE}`]) {
      for (const text of texts) expect(text.includes(canary), canary).toBe(false);
    }
    for (const answer of answers) expect(answer).not.toContain(new URL(fake.origin).host);
  });
});
