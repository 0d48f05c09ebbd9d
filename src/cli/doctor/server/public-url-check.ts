import { isLoopbackHost } from '../../../core/index.ts';
import { type Check, ok, warn } from '../check.ts';
import type { Site } from './site.ts';

/** Whether the addresses in challenges will be those that clients know. */
export const publicUrlCheck: Check<Site> = {
  name: 'public url',
  async run({ options: { server } }) {
    const { publicUrl, tls, address, trustedProxies } = server;
    const isLocal = isLoopbackHost(address.slice(0, address.lastIndexOf(':')));
    if (publicUrl === undefined) {
      if (tls || (isLocal && trustedProxies.length === 0)) {
        return ok('clients are sent to the host that they ask for; there is no server.publicUrl');
      }
      if (trustedProxies.length > 0) {
        return ok('clients are sent to what trusted proxies say in X-Forwarded-Host and -Proto');
      }
      return warn(
        'clients are sent to http:// and the host that they ask for',
        'behind a proxy that ends TLS set server.publicUrl: https://…; otherwise set server.tls',
      );
    }
    if (publicUrl.startsWith('http:') && !isLoopbackHost(new URL(publicUrl).hostname)) {
      return warn(
        `server.publicUrl is ${publicUrl}: passwords can be read on the way`,
        'use https, with server.tls or a proxy in front',
      );
    }
    return ok(`clients are sent to ${publicUrl}`);
  },
};
