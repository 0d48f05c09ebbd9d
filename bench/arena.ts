import { hashSync } from '@node-rs/bcrypt';
import { startDockerRegistry, startNginx } from '../test/servers/index.ts';
import { startProxy } from '../test/support/proxy.ts';
import { type StaticRegistry, startStaticRegistry } from './static-registry.ts';

const LOGIN = { username: 'bench', password: 'not a secret' };
const LEAST_BCRYPT_COST = 4;
const USUAL_BCRYPT_COST = 12;

/** Somebody who stands in front of the upstream. */
export interface Contestant {
  readonly url: string;
  readonly pid: number;
  /** Headers that it wants to see. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The upstream and all contestants. */
export interface Arena {
  readonly upstream: StaticRegistry;
  /** Passes on, keeps nothing; what a client is too slow for waits in a temporary file, as is nginx' default. */
  readonly nginx: Contestant;
  /** The same without temporary files. */
  readonly nginxUnspooled: Contestant;
  /** A pull-through cache. */
  readonly registry: Contestant;
  /** The proxy as it is by default. */
  readonly ours: Contestant;
  /** The proxy with `verify: false`. */
  readonly oursUnverified: Contestant;
  close(): Promise<void>;
}

/** Starts everybody. */
export async function createArena(): Promise<Arena> {
  const resources: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(resource: T) => {
    resources.push(resource);
    return resource;
  };
  const close = async () => {
    for (const resource of resources.splice(0).reverse()) await resource.close();
  };
  try {
    const upstream = keep(await startStaticRegistry());
    const nginx = keep(await startNginx({ ports: 2, http: (ports) => passOn(ports, upstream.port) }));
    const registry = keep(await startDockerRegistry({ proxyOf: upstream.url }));
    const ours = keep(await startOurs(upstream.url, true));
    const oursUnverified = keep(await startOurs(upstream.url, false));
    return {
      upstream,
      nginx: { url: `http://127.0.0.1:${nginx.ports[0]}`, pid: nginx.pid, headers: {} },
      nginxUnspooled: { url: `http://127.0.0.1:${nginx.ports[1]}`, pid: nginx.pid, headers: {} },
      registry: { url: registry.url, pid: registry.pid, headers: {} },
      ours: { url: ours.url, pid: ours.pid, headers: await logIn(ours.url) },
      oursUnverified: {
        url: oursUnverified.url,
        pid: oursUnverified.pid,
        headers: await logIn(oursUnverified.url),
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function passOn(ports: readonly number[], upstreamPort: number): string {
  const servers = ports.map(
    (port, index) => `
  server {
    listen 127.0.0.1:${port};
    ${index === 0 ? '' : 'proxy_max_temp_file_size 0;'}
    location / {
      proxy_pass http://registry;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }`,
  );
  return `
  keepalive_requests 100000000;
  upstream registry { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 100000000; }
  ${servers.join('')}`;
}

function startOurs(upstream: string, verify: boolean) {
  const configuration = {
    upstreams: { main: { url: upstream, verify, connections: 1000 } },
    routes: [{ match: {}, upstream: 'main' }],
    authentication: {
      verifiers: [{ name: 'local', type: 'htpasswd', file: 'users' }],
      limits: { failuresPerAddress: 1000, failuresPerAccount: 1000 },
    },
    authorization: {
      rules: [
        { name: 'others', when: 'identity.name == "somebody"', repositories: ['**'], actions: ['pull'] },
        {
          name: 'bench',
          when: 'identity.verifier == "local" && identity.name == "bench"',
          repositories: ['bench/**'],
          actions: ['pull'],
        },
      ],
    },
    tokens: { lifetime: '1h' },
  };
  const users = [
    `${LOGIN.username}:${hashSync(LOGIN.password, { cost: LEAST_BCRYPT_COST })}`,
    `costly:${hashSync('nobody logs in with this', { cost: USUAL_BCRYPT_COST })}`,
  ].join('\n');
  return startProxy(configuration, { files: { users } });
}

async function logIn(url: string): Promise<Record<string, string>> {
  const challenge = (await fetch(`${url}/v2/`)).headers.get('www-authenticate') ?? '';
  const [, realm = ''] = /realm="([^"]+)"/.exec(challenge) ?? [];
  const [, service = ''] = /service="([^"]+)"/.exec(challenge) ?? [];
  const query = new URLSearchParams({ service, scope: 'repository:bench/app:pull' });
  const basic = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64');
  const response = await fetch(`${realm}?${query}`, { headers: { authorization: `Basic ${basic}` } });
  const { token } = (await response.json()) as { token: string };
  return { authorization: `Bearer ${token}` };
}
