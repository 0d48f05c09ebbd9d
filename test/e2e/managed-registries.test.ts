import { beforeAll, expect, it } from 'vitest';
import { APP_ID, INSTALLATION, startGitHubApi } from '../credentials/ghcr/github-api.ts';
import { type CloudRegistry, startCloudRegistry } from '../servers/cloud-registry.ts';
import { createPullMeter, type PullMeter } from '../servers/pull-meter.ts';
import { type PushedImage, pushImage } from '../support/images.ts';
import { type RunningProxy, startProxy } from '../support/proxy.ts';
import { useResources } from '../support/resources.ts';
import { digestBody, getManifest, openBlob, pullAuthorization } from './http-client.ts';
import { ALICE, SITE_FILES } from './site.ts';

/** Who is let in beside the app, as each kind of account is spelt. */
const ACCOUNTS: Readonly<Record<string, string>> = {
  acme: 'dckr_oat_canary',
  'acme-ci': 'dckr_pat_canary',
  'acme+puller': 'quay-canary',
  'gitlab+deploy-token-1': 'gldt-canary',
  robot$acme: 'harbor-canary',
  token: 'ghp_canary',
  plain: 'static-canary',
};

/** Credentials of an upstream, one line for each kind. */
const KINDS: Readonly<Record<string, unknown>> = {
  dockerhub: { type: 'dockerhub', username: 'acme', password: ACCOUNTS.acme },
  quay: { type: 'quay', username: 'acme+puller', password: ACCOUNTS['acme+puller'] },
  gitlab: { type: 'gitlab', username: 'gitlab+deploy-token-1', password: ACCOUNTS['gitlab+deploy-token-1'] },
  harbor: { type: 'harbor', username: 'robot$acme', password: ACCOUNTS.robot$acme },
  ghcr: { type: 'ghcr', password: ACCOUNTS.token },
  static: { type: 'static', username: 'plain', password: ACCOUNTS.plain },
  'docker-config': { type: 'docker-config', file: 'docker.json' },
};

const POOL = {
  type: 'pool',
  members: ['acme', 'acme-ci'].map((username) => ({
    type: 'dockerhub',
    username,
    password: ACCOUNTS[username],
  })),
};

interface Site {
  readonly proxy: RunningProxy;
  pull(name: string, tag?: string): Promise<Response>;
}

const keep = useResources();
let site: Site;
let registry: CloudRegistry;
let meter: PullMeter;
/** Installation tokens that GitHub still takes. */
let appTokens: readonly string[] = [];
let images: PushedImage[];

beforeAll(async () => {
  meter = createPullMeter({});
  registry = keep(
    await startCloudRegistry({
      tokenPath: '/token',
      refuse: (username, password) =>
        ACCOUNTS[username] === password || appTokens.includes(password)
          ? undefined
          : { status: 401, body: { errors: [{ code: 'UNAUTHORIZED' }] } },
      onToken: (token, username) => meter.onToken(token, username),
      inspect: (request) => meter.inspect(request),
    }),
  );
  const auths = { [registry.service.host]: { username: 'plain', password: ACCOUNTS.plain } };
  site = await proxyWith({ ...KINDS, hub: POOL }, { 'docker.json': JSON.stringify({ auths }) });
  images = [await push('app', 'v1'), await push('other', 'v1')];
});

async function push(name: string, tag: string): Promise<PushedImage> {
  const authorization = `Bearer ${await registry.issue(`repository:acme/${name}:pull,push`)}`;
  return pushImage({ url: registry.url, authorization }, `acme/${name}`, tag);
}

/** The proxy in front of the registry, with an upstream for each of these credentials. */
async function proxyWith(
  credentials: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>>,
): Promise<Site> {
  const names = Object.keys(credentials);
  const upstreams = names.map((name) => [
    name,
    { url: registry.url, credentials: credentials[name], rateLimit: { floor: 1 } },
  ]);
  const proxy = keep(
    await startProxy(
      {
        upstreams: Object.fromEntries(upstreams),
        routes: names.map((name) => ({ match: { path: name }, upstream: name, repository: 'acme/{name}' })),
        // Each pull is to ask the registry.
        cache: { type: 'none' },
        authentication: { verifiers: [{ name: 'staff', type: 'htpasswd', file: 'users.htpasswd' }] },
        authorization: { rules: [{ name: 'all', repositories: ['**'], actions: ['pull'] }] },
      },
      { files: { ...SITE_FILES, ...files } },
    ),
  );
  return {
    proxy,
    pull: async (name, tag = 'v1') =>
      getManifest(proxy, name, tag, await pullAuthorization(proxy, name, ALICE)),
  };
}

it.each(Object.keys(KINDS))('with credentials of type %s manifests and layers are pulled', async (kind) => {
  const [image] = images;
  const manifest = await site.pull(`${kind}/app`);
  expect(manifest.headers.get('docker-content-digest')).toBe(image?.digest);
  const layer = image?.manifests[0]?.layers[0] ?? '';
  const authorization = await pullAuthorization(site.proxy, `${kind}/app`, ALICE);
  const body = await digestBody(await openBlob(site.proxy, `${kind}/app`, layer, authorization));
  expect(body.digest).toBe(layer);
  expect(JSON.stringify(site.proxy.logLines())).not.toContain('canary');
});

it('tokens of a GitHub App are made, and made anew when one is revoked', async () => {
  const api = await startGitHubApi(() => Date.now());
  appTokens = api.tokens;
  const app = { id: APP_ID, installation: INSTALLATION, privateKeyFile: 'app.pem', apiUrl: api.url };
  const { pull } = await proxyWith({ ghcr: { type: 'ghcr', app } }, { 'app.pem': api.privateKeyPem });
  expect((await pull('ghcr/app')).headers.get('docker-content-digest')).toBe(images[0]?.digest);
  expect(api.tokens).toHaveLength(1);
  const [revoked] = api.tokens;
  appTokens = { includes: (token: string) => token !== revoked && api.tokens.includes(token) } as string[];
  expect((await pull('ghcr/other')).headers.get('docker-content-digest')).toBe(images[1]?.digest);
  expect(api.tokens).toHaveLength(2);
});

it('a pool spends what its accounts have, and then answers tags from what was last known', async () => {
  meter = createPullMeter({ acme: 3, 'acme-ci': 2 });
  const { proxy, pull } = site;
  for (const tag of ['t1', 't2', 't3', 't4', 't5']) await push('pool', tag);
  const first = await pull('hub/pool', 't1');
  const known = await first.text();
  // It has not moved: HEAD has shown that, for nothing.
  expect(await (await pull('hub/pool', 't1')).text()).toBe(known);
  expect(meter.take().toSorted()).toEqual(['GET acme', 'HEAD acme-ci']);

  for (const tag of ['t2', 't3', 't4', 't5']) expect((await pull('hub/pool', tag)).status).toBe(200);
  expect(meter.accounts).toEqual({ acme: { limit: 3, used: 3 }, 'acme-ci': { limit: 2, used: 2 } });
  const metrics = await (await fetch(`${proxy.adminUrl}/metrics`)).text();
  expect(metrics).toContain('drp_upstream_rate_limit_remaining{upstream="hub",credential="0"} 0');
  expect(metrics).toContain('drp_upstream_rate_limit{upstream="hub",credential="1"} 2');

  // Nothing is left: what is known is still served, and says so; what is not known waits as long as the registry says.
  await push('pool', 't1');
  const old = await pull('hub/pool', 't1');
  expect(await old.text()).toBe(known);
  expect(old.headers.get('age')).toMatch(/^\d+$/);
  expect(old.headers.get('warning')).toContain('110');
  const unknown = await pull('hub/other');
  expect(unknown.status).toBe(429);
  expect(Number(unknown.headers.get('retry-after'))).toBeGreaterThan(3500);
});
