import { beforeAll, describe, expect, it } from 'vitest';
import { sendRaw } from '../proxy/registry/support/raw-http.ts';
import { startNginx } from '../servers/index.ts';
import { pushImage } from '../support/images.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { pullAuthorization } from './http-client.ts';
import { ALICE, SITE_FILES, siteConfiguration, startPrivateRegistry } from './site.ts';

const SECRET = 'secret/plans';

describe('odd requests through nginx', () => {
  const keep = useResources();
  let proxy: RunningProxy;
  let port: number;
  let authorization: string;

  beforeAll(async () => {
    const registry = keep(await startPrivateRegistry());
    await pushImage(registry, 'acme/team/app', 'v1', { layers: 1 });
    await pushImage(registry, `acme/${SECRET}`, 'v1', { layers: 1 });
    proxy = keep(await startProxy(siteConfiguration(registry), { files: SITE_FILES }));
    const nginx = keep(
      await startNginx({
        // Without a path behind it, proxy_pass hands the target on as it came.
        http: ([listen]) => `server {
          listen 127.0.0.1:${listen};
          location / {
            proxy_pass ${proxy.url};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host ${proxy.host};
          }
        }`,
      }),
    );
    port = nginx.ports[0] ?? 0;
    authorization = await pullAuthorization(proxy, 'team/app', ALICE);
  });

  const get = (target: string, ...headers: string[]) =>
    [`GET ${target} HTTP/1.1`, `Host: ${proxy.host}`, ...headers, 'Connection: close', '', ''].join('\r\n');

  it('a plain one comes through', async () => {
    const answer = await sendRaw(port, get('/v2/team/app/manifests/v1', `Authorization: ${authorization}`));
    expect(answer.status).toBe(200);
  });

  it.each([
    ['/../', '/v2/team/app/../../secret/plans/manifests/v1'],
    ['/./', '/v2/./secret/plans/manifests/v1'],
    ['//', '/v2//secret/plans/manifests/v1'],
    ['%2e%2e', '/v2/team/app/%2e%2e/%2e%2e/secret/plans/manifests/v1'],
    ['%2f', '/v2/team/app/..%2f..%2fsecret/plans/manifests/v1'],
    ['%5c', '/v2/team/app%5c..%5csecret/manifests/v1'],
    ['%00', '/v2/secret/plans%00/manifests/v1'],
    ['a backslash', '/v2/team\\app/manifests/v1'],
    ['an absolute target', 'http://evil.example/v2/secret/plans/manifests/v1'],
    ['a fragment', '/v2/team/app/manifests/v1#/../../secret'],
    ['a semicolon', '/v2/team/app;/../secret/plans/manifests/v1'],
  ])('%s is refused or denied, and never answers with what is behind it', async (_what, target) => {
    const answer = await sendRaw(port, get(target, `Authorization: ${authorization}`));
    expect([400, 403, 404]).toContain(answer.status);
    expect(answer.body).not.toContain('schemaVersion');
  });

  it.each([
    ['two Authorizations', ['Authorization: Bearer x']],
    ['two Hosts', ['Host: evil.example']],
    ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['two lengths', ['Content-Length: 0', 'Content-Length: 5']],
    ['an odd encoding', ['Transfer-Encoding: xchunked']],
    ['an encoding behind a tab', ['Transfer-Encoding:\tchunked', 'Content-Length: 3']],
  ])('%s: 4xx or 501', async (_what, headers) => {
    const text = get('/v2/team/app/manifests/v1', `Authorization: ${authorization}`, ...headers);
    const answer = await sendRaw(port, text);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body).not.toContain('schemaVersion');
  });

  it('a body with a request inside it is one request', async () => {
    const inner = get('/v2/secret/plans/manifests/v1', `Authorization: ${authorization}`);
    const before = proxy.logLines().filter((line) => line.log === 'audit').length;
    const outer = `GET /v2/team/app/manifests/v1 HTTP/1.1\r\nHost: ${proxy.host}\r\nAuthorization: ${authorization}\r\nConnection: close\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`;
    await sendRaw(port, outer);
    const audits = proxy.logLines().filter((line) => line.log === 'audit');
    expect(audits.slice(before).every((line) => line.repository === 'team/app')).toBe(true);
  });
});
