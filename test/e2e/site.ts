import { hashSync } from '@node-rs/bcrypt';
import { type DockerRegistry, startDockerRegistry } from '../servers/index.ts';
import type { ProxyConfiguration } from '../support/proxy.ts';
import type { PushTarget } from '../support/push.ts';
import type { Login } from './clients.ts';

const BCRYPT_COST = 5;

/** Known to the proxy; may pull everything but `secret/**`. */
export const ALICE: Login = { username: 'alice', password: 'correct horse battery' };

/** Known to the proxy; no rule speaks of her. */
export const BERTA: Login = { username: 'berta', password: 'nobody asked me' };

/** What the proxy shows to its upstreams; clients never see it. */
export const UPSTREAM_LOGIN: Login = { username: 'proxy-robot', password: 'only-the-proxy-knows' };

/** A line of an htpasswd file. */
export function htpasswdLine({ username, password }: Login): string {
  return `${username}:${hashSync(password, { cost: BCRYPT_COST })}\n`;
}

/** The Authorization header of a login. */
export function basicAuthorization({ username, password }: Login): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** A registry that wants {@link UPSTREAM_LOGIN}. */
export async function startPrivateRegistry(): Promise<DockerRegistry & PushTarget> {
  const users = htpasswdLine(UPSTREAM_LOGIN);
  const registry = await startDockerRegistry({ authentication: { type: 'htpasswd', users } });
  return { ...registry, authorization: basicAuthorization(UPSTREAM_LOGIN) };
}

/** Files that {@link siteConfiguration} names. */
export const SITE_FILES = {
  'users.htpasswd': htpasswdLine(ALICE) + htpasswdLine(BERTA),
  'upstream-password': `${UPSTREAM_LOGIN.password}\n`,
};

/** An upstream of the configuration with the right credential. */
export function upstreamOptions(url: string, more: Readonly<Record<string, unknown>> = {}) {
  return {
    url,
    credentials: {
      type: 'static',
      username: UPSTREAM_LOGIN.username,
      passwordFile: 'upstream-password',
    },
    ...more,
  };
}

/** The proxy in front of `main`: what clients call `NAME` is `acme/NAME` there. */
export function siteConfiguration(
  main: { readonly url: string },
  more: {
    readonly server?: Readonly<Record<string, unknown>>;
    readonly upstreams?: Readonly<Record<string, unknown>>;
    /** They come before the route to `main`. */
    readonly routes?: readonly unknown[];
    readonly upstream?: Readonly<Record<string, unknown>>;
    readonly rules?: readonly unknown[];
  } = {},
): ProxyConfiguration {
  return {
    ...(more.server && { server: more.server }),
    upstreams: { main: upstreamOptions(main.url, more.upstream), ...more.upstreams },
    routes: [...(more.routes ?? []), { match: {}, upstream: 'main', repository: 'acme/{name}' }],
    authentication: {
      anonymous: true,
      verifiers: [{ name: 'staff', type: 'htpasswd', file: 'users.htpasswd' }],
    },
    authorization: {
      rules: [
        { name: 'everybody', repositories: ['public/**'], actions: ['pull'] },
        {
          name: 'alice',
          when: 'identity.name == "alice"',
          repositories: ['team/**', 'library/**', 'tokened/**', 'hub/**', 'app'],
          actions: ['pull'],
        },
        ...(more.rules ?? []),
      ],
    },
  };
}
