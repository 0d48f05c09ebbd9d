import { startDockerRegistry, startTokenRealm, type TokenRealm } from '../servers/index.ts';
import { type ProxyConfiguration, startProxy } from '../support/proxy.ts';
import type { PushTarget } from '../support/push.ts';
import type { Resource } from '../support/resources.ts';
import type { Login } from './clients.ts';
import {
  ALICE,
  BERTA,
  basicAuthorization,
  SITE_FILES,
  startPrivateRegistry,
  UPSTREAM_LOGIN,
  upstreamOptions,
} from './site.ts';

/** Alice pushes below `team/`, and nothing else; Berta only pulls what is below `shared/`. */
const RULES = [
  {
    name: 'alice',
    when: 'identity.name == "alice"',
    repositories: ['team/**', 'tokened/**', 'frozen/**'],
    actions: ['pull', 'push', 'delete'],
  },
  { name: 'shared', when: 'identity.name == "alice"', repositories: ['shared/**'], actions: ['pull'] },
  { name: 'berta', when: 'identity.name == "berta"', repositories: ['team/**'], actions: ['pull', 'push'] },
];

/** Every name may be pushed to but those below `frozen/`. */
export function pushConfiguration(
  upstreams: Readonly<Record<string, unknown>>,
  more: ProxyConfiguration = {},
): ProxyConfiguration {
  return {
    upstreams,
    routes: [
      { match: { path: 'tokened' }, upstream: 'tokened', repository: 'inner/{name}', push: true },
      { match: { path: 'frozen' }, upstream: 'main', repository: 'acme/team/{name}' },
      { match: {}, upstream: 'main', repository: 'acme/{name}', push: true },
    ],
    authentication: { verifiers: [{ name: 'staff', type: 'htpasswd', file: 'users.htpasswd' }] },
    authorization: { rules: RULES },
    ...more,
  };
}

export interface PushSite {
  readonly proxy: Awaited<ReturnType<typeof startProxy>>;
  /** Behind Basic authentication; what clients call `NAME` is `acme/NAME` there. */
  readonly registry: PushTarget;
  /** Behind a token service; what clients call `tokened/NAME` is `inner/NAME` there. */
  readonly tokened: { readonly url: string };
  readonly realm: TokenRealm;
}

/** A proxy that carries pushes, in front of two registries. */
export async function startPushSite(keep: <T extends Resource>(resource: T) => T): Promise<PushSite> {
  const registry = keep(await startPrivateRegistry());
  const realm = keep(await startTokenRealm(UPSTREAM_LOGIN));
  const tokened = keep(
    await startDockerRegistry({ authentication: { type: 'token', ...realm, realm: realm.url } }),
  );
  const upstreams = {
    main: upstreamOptions(registry.url),
    tokened: upstreamOptions(tokened.url, { realms: [realm.origin] }),
  };
  const proxy = keep(await startProxy(pushConfiguration(upstreams), { files: SITE_FILES }));
  return { proxy, registry, tokened, realm };
}

/** The Authorization header with a fresh token for these scopes, such as `repository:team/app:pull,push`. */
export async function tokenFor(
  proxy: { readonly url: string },
  scopes: readonly string[],
  login: Login = ALICE,
): Promise<string> {
  const query = new URLSearchParams(scopes.map((scope): [string, string] => ['scope', scope]));
  query.set('service', new URL(proxy.url).host);
  const answer = await fetch(`${proxy.url}/token?${query}`, {
    headers: { authorization: basicAuthorization(login) },
  });
  const { token } = (await answer.json()) as { token: string };
  return `Bearer ${token}`;
}

export { ALICE, BERTA };
