import { isLoopbackHost } from '../../core/index.ts';

/** The log says which port it became; a fixed one would be in the way of a second proxy. */
const ANY_ADMIN_ADDRESS = '127.0.0.1:0';

/** What `drp serve` may be told without a file. */
export interface QuickOptions {
  readonly upstream: string;
  readonly address: string;
  readonly htpasswd?: string;
  readonly dockerConfig?: string;
  readonly anonymous?: boolean;
}

/** The options do not make a configuration; the message says what to do. */
export class QuickOptionsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'QuickOptionsError';
  }
}

/**
 * The configuration that a few options stand for: one upstream, everything it has may be pulled. Without a login that is
 * only for this machine; whoever opens it to others without one has to say so.
 * @returns a value for the configuration's schema
 * @throws {QuickOptionsError}
 */
export function quickConfiguration(options: QuickOptions): Record<string, unknown> {
  const { upstream, address, htpasswd, dockerConfig, anonymous = false } = options;
  const { url, prefix } = splitUpstream(upstream);
  const open = anonymous || htpasswd === undefined;
  if (open && !anonymous && !isLoopback(address)) {
    throw new QuickOptionsError(
      `anybody who reaches ${address} could pull: add --htpasswd FILE for a login, or --anonymous if that is meant`,
    );
  }
  return {
    server: { address, adminAddress: ANY_ADMIN_ADDRESS },
    upstreams: {
      upstream: { url, ...(dockerConfig && { credentials: { type: 'docker-config', file: dockerConfig } }) },
    },
    routes: [{ upstream: 'upstream', repository: `${prefix}{name}` }],
    authentication: {
      anonymous: open,
      verifiers: htpasswd === undefined ? [] : [{ name: 'local', type: 'htpasswd', file: htpasswd }],
    },
    authorization: { rules: [{ name: 'pull everything', repositories: ['**'], actions: ['pull'] }] },
  };
}

/** `https://gcr.io/my-gcp-project` is a registry and the prefix of all names that are asked of it. */
function splitUpstream(text: string): { url: string; prefix: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new QuickOptionsError(`--upstream takes a URL such as https://gcr.io/my-gcp-project, not ${text}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new QuickOptionsError('--upstream takes no user name or password: use --docker-config FILE');
  }
  if (url.search + url.hash !== '') throw new QuickOptionsError('--upstream takes a URL without ? and #');
  const path = url.pathname.replace(/^\/+|\/+$/g, '');
  return { url: url.origin, prefix: path === '' ? '' : `${path}/` };
}

function isLoopback(address: string): boolean {
  return isLoopbackHost(address.slice(0, address.lastIndexOf(':')));
}
