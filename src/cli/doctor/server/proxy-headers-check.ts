import { type Check, ok, warn } from '../check.ts';
import type { Site } from './site.ts';

/** Whether the address of a client is known behind a proxy. */
export const proxyHeadersCheck: Check<Site> = {
  name: 'proxy headers',
  async run({ options: { server } }) {
    const { publicUrl, tls, trustedProxies } = server;
    if (trustedProxies.some((network) => /\/0$/.test(network))) {
      return warn(
        'server.trustedProxies believes everybody: any client can say who and where it is',
        'list the addresses of the proxies alone',
      );
    }
    const isBehindProxy = publicUrl?.startsWith('https:') === true && !tls;
    if (isBehindProxy && trustedProxies.length === 0) {
      return warn(
        'something in front ends TLS, and no proxy is trusted: all clients seem to have its address',
        'list it in server.trustedProxies, and let it set X-Forwarded-For',
      );
    }
    return trustedProxies.length === 0
      ? []
      : ok(`X-Forwarded-* is believed from ${trustedProxies.join(', ')}`);
  },
};
