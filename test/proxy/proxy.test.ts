import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/oci/index.ts';
import {
  basic,
  createSite,
  getToken,
  PASSWORD,
  type RunningProxy,
  runProxy,
  type Site,
  withToken,
} from './support/running-proxy.ts';

let site: Site;
let running: RunningProxy;

beforeEach(async () => {
  site = await createSite();
});

afterEach(async () => {
  await running.proxy.close();
  await site.remove();
});

async function status(url: string, init?: RequestInit): Promise<number> {
  const answer = await fetch(url, init);
  await answer.arrayBuffer();
  return answer.status;
}

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
async function json(url: string, init?: RequestInit): Promise<any> {
  return (await fetch(url, init)).json();
}

function post(url: string, form: Record<string, string>): Promise<Response> {
  return fetch(url, { method: 'POST', body: new URLSearchParams(form) });
}

describe('a pull', () => {
  it('goes from the challenge to the last layer', async () => {
    running = await runProxy(await site.options());
    const { url } = running;
    expect(await status(`${url}/v2/`)).toBe(401);
    const { token } = await getToken(url, 'anna', 'scope=repository:hello:pull');
    const headers = withToken(token);
    expect(await status(`${url}/v2/`, { headers })).toBe(200);
    const index = await json(`${url}/v2/hello/manifests/latest`, { headers });
    for (const { digest } of index.manifests) {
      const manifest = await json(`${url}/v2/hello/manifests/${digest}`, { headers });
      for (const blob of [manifest.config, ...manifest.layers]) {
        const content = Buffer.from(
          await (await fetch(`${url}/v2/hello/blobs/${blob.digest}`, { headers })).arrayBuffer(),
        );
        expect(digestOf(content)).toBe(blob.digest);
      }
    }
    expect(await (await fetch(`${url}/v2/_catalog`, { headers })).json()).toEqual({
      repositories: ['hello', 'secret/plans'],
    });
  });

  it('is not for who has no rule: the token comes, empty, and the pull is denied', async () => {
    running = await runProxy(await site.options());
    const { url } = running;
    const { token } = await getToken(url, 'ben', 'scope=repository:hello:pull');
    const headers = withToken(token);
    for (const name of ['hello', 'no/such/thing']) {
      const answer = await fetch(`${url}/v2/${name}/manifests/latest`, { headers });
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ errors: [{ code: 'DENIED' }] });
    }
    expect(await (await fetch(`${url}/v2/_catalog`, { headers })).json()).toEqual({ repositories: [] });
  });

  it('needs the right password, and a token made by this proxy for this service', async () => {
    running = await runProxy(await site.options());
    const { url } = running;
    expect(await status(`${url}/token`, { headers: basic('anna', 'wrong') })).toBe(401);
    expect(await status(`${url}/token`, { headers: basic('nobody') })).toBe(401);
    expect(await status(`${url}/token`)).toBe(401);
    const { token } = await getToken(url, 'anna', '');
    expect(await status(`${url}/v2/`, { headers: { ...withToken(`${token}x`) } })).toBe(401);
    const { keys } = await json(`${url}/.well-known/jwks.json`);
    expect(keys).toHaveLength(1);
    expect(keys[0]).not.toHaveProperty('d');
  });

  it('anonymous is for who says so, and then as far as rules go', async () => {
    const rules = [
      {
        name: 'open',
        when: 'identity.verifier == "anonymous"',
        repositories: ['hello'],
        actions: ['pull' as const],
      },
    ];
    running = await runProxy(
      await site.options({ authentication: { anonymous: true }, authorization: { rules } }),
    );
    const { url } = running;
    expect(await status(`${url}/v2/`)).toBe(401);
    const { token } = await json(`${url}/token?scope=repository:hello:pull`);
    expect(await status(`${url}/v2/hello/manifests/latest`, { headers: withToken(token) })).toBe(200);
    expect(await status(`${url}/v2/secret/plans/manifests/v1`, { headers: withToken(token) })).toBe(401);
  });
});

describe('refresh tokens', () => {
  it('outlive a restart, as docker login needs it', async () => {
    running = await runProxy(
      await site.options({
        server: {
          address: '127.0.0.1:0',
          adminAddress: '127.0.0.1:0',
          publicUrl: 'http://docker.example.com',
        },
      }),
    );
    const { refresh_token = '' } = await getToken(running.url, 'anna', 'offline_token=true&client_id=docker');
    await running.proxy.close();
    running = await runProxy(
      await site.options({
        server: {
          address: '127.0.0.1:0',
          adminAddress: '127.0.0.1:0',
          publicUrl: 'http://docker.example.com',
        },
      }),
    );
    for (let use = 0; use < 2; use += 1) {
      const answer = await post(`${running.url}/token`, {
        grant_type: 'refresh_token',
        refresh_token,
        scope: 'repository:hello:pull',
      });
      expect(answer.status).toBe(200);
      const { access_token } = (await answer.json()) as { access_token: string };
      expect(
        await status(`${running.url}/v2/hello/manifests/latest`, { headers: withToken(access_token) }),
      ).toBe(200);
    }
    await post(`${running.url}/token/revoke`, { token: refresh_token });
    expect((await post(`${running.url}/token`, { grant_type: 'refresh_token', refresh_token })).status).toBe(
      401,
    );
  });

  it('end with the user', async () => {
    running = await runProxy(await site.options());
    const { refresh_token = '' } = await getToken(running.url, 'anna', 'offline_token=true');
    await running.proxy.reload(await site.options({ authentication: { verifiers: [] } }));
    expect((await post(`${running.url}/token`, { grant_type: 'refresh_token', refresh_token })).status).toBe(
      401,
    );
  });
});

describe('a reload', () => {
  it('takes a right away at once, also from tokens that are out', async () => {
    running = await runProxy(await site.options());
    const { url, proxy } = running;
    const { token } = await getToken(url, 'anna', 'scope=repository:hello:pull');
    expect(await status(`${url}/v2/hello/manifests/latest`, { headers: withToken(token) })).toBe(200);
    await proxy.reload(await site.options({ authorization: { rules: [] } }));
    expect(await status(`${url}/v2/hello/manifests/latest`, { headers: withToken(token) })).toBe(403);
  });

  it('that can not be made changes nothing', async () => {
    running = await runProxy(await site.options());
    const rules = [{ name: 'broken', when: 'identity.', repositories: ['**'], actions: ['pull' as const] }];
    await expect(running.proxy.reload(await site.options({ authorization: { rules } }))).rejects.toThrow();
    expect(await getToken(running.url, 'anna', '')).toHaveProperty('token');
  });

  it('without the signing key is refused: new ones would end every token that is out', async () => {
    running = await runProxy(await site.options());
    const { token } = await getToken(running.url, 'anna', '');
    await rm(join(site.folder, 'data', 'signing-key.json'));
    await expect(running.proxy.reload(await site.options())).rejects.toThrow('signing-key.json is missing');
    expect(await status(`${running.url}/v2/`, { headers: withToken(token) })).toBe(200);
  });

  it('100 times under load loses no request', async () => {
    running = await runProxy(await site.options());
    const { url, proxy } = running;
    const { token } = await getToken(url, 'anna', 'scope=repository:hello:pull');
    let reloading = true;
    const statuses = new Map<number, number>();
    const client = async () => {
      while (reloading) {
        const answered = await status(`${url}/v2/hello/manifests/latest`, { headers: withToken(token) });
        statuses.set(answered, (statuses.get(answered) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 8 }, client);
    for (let count = 0; count < 100; count += 1) await proxy.reload(await site.options());
    reloading = false;
    await Promise.all(clients);
    expect([...statuses.keys()]).toEqual([200]);
  });
});

describe('operations', () => {
  it('answers health, readiness and metrics apart from clients', async () => {
    running = await runProxy(await site.options());
    const { url, adminUrl, proxy } = running;
    expect(await status(`${adminUrl}/healthz`)).toBe(200);
    expect(await status(`${adminUrl}/readyz`)).toBe(200);
    await getToken(url, 'anna', '');
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
    expect(metrics).toContain('drp_logins_total{verifier="local",outcome="identity"} 1');
    expect(metrics).toContain('drp_requests_total{operation="token",status="200"} 1');
    expect(await status(`${adminUrl}/v2/`)).toBe(404);
    expect(await status(`${url}/metrics`)).toBe(404);
    await proxy.drain();
    expect(await status(`${adminUrl}/healthz`)).toBe(200);
    expect(await status(`${adminUrl}/readyz`)).toBe(503);
  });

  it('starts with an upstream that is down, and says so to who asks it', async () => {
    const upstreams = {
      disk: { layout: './images' },
      gone: {
        url: 'http://127.0.0.1:1',
        credentials: { type: 'static' as const, username: 'u', password: 'canary-of-upstream' },
      },
    };
    const routes = [{ match: { path: 'gone' }, upstream: 'gone' }, { upstream: 'disk' }];
    running = await runProxy(await site.options({ upstreams, routes }));
    const { token } = await getToken(
      running.url,
      'anna',
      'scope=repository:gone/app:pull&scope=repository:hello:pull',
    );
    const answer = await fetch(`${running.url}/v2/gone/app/manifests/v1`, { headers: withToken(token) });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ errors: [{ code: 'UNAVAILABLE' }] });
    expect(await status(`${running.url}/v2/hello/manifests/latest`, { headers: withToken(token) })).toBe(200);
    expect(running.logged()).not.toContain('canary-of-upstream');
  });

  it('keeps secrets out of logs, metrics and the state on disk', async () => {
    running = await runProxy(await site.options());
    const { url, adminUrl } = running;
    const { token, refresh_token = '' } = await getToken(
      url,
      'anna',
      'offline_token=true&scope=repository:hello:pull',
    );
    await status(`${url}/v2/hello/manifests/latest`, { headers: withToken(token) });
    await status(`${url}/v2/hello/manifests/latest`, { headers: withToken(`${token}x`) });
    await status(`${url}/token`, { headers: basic('anna', 'canary-of-a-wrong-password') });
    await post(`${url}/token`, { grant_type: 'refresh_token', refresh_token: `${refresh_token}x` });
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
    const secret = refresh_token.slice(refresh_token.indexOf('.') + 1);
    expect(secret.length).toBeGreaterThan(20);
    const data = join(site.folder, 'data');
    const state = await Promise.all(
      (await readdir(data))
        .filter((name) => name.startsWith('state'))
        .map((name) => readFile(join(data, name), 'latin1')),
    );
    expect(state.length).toBeGreaterThan(0);
    const signature = token.slice(token.lastIndexOf('.') + 1);
    for (const canary of [PASSWORD, 'canary-of-a-wrong-password', secret, signature]) {
      for (const text of [running.logged(), metrics, ...state])
        expect(text.includes(canary), canary).toBe(false);
    }
  });
});
