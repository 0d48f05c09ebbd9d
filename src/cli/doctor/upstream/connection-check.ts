import { isLoopbackHost } from '../../../core/index.ts';
import { type Check, fail, ok, reasonOf, warn } from '../check.ts';
import type { Visit } from './visit.ts';

/** What OpenSSL and Node call a certificate that nobody we trust has signed. */
const UNTRUSTED = /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_UNTRUSTED)/;

/** Whether a connection stands, with TLS where the URL says so. */
export const connectionCheck: Check<Visit> = {
  name: 'connection',
  needs: ['name'],
  async run(visit, signal) {
    const { url } = visit;
    try {
      const { tls } = await visit.connected(signal);
      if (tls) return ok(`${url.origin} answers, with a certificate that is trusted`);
      if (isLoopbackHost(url.hostname)) return ok(`${url.origin} answers, without TLS on this machine`);
      return warn(`${url.origin} answers without TLS`, 'use https: the credential can be read on the way');
    } catch (error) {
      const { code = '' } = error as { code?: string };
      return fail(`no connection to ${url.origin}: ${reasonOf(error)}`, adviceFor(code));
    }
  },
};

function adviceFor(code: string): string {
  if (UNTRUSTED.test(code))
    return 'set certificateAuthorityFile to the authority that signed its certificate';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'use the host name that stands in the certificate';
  if (code === 'CERT_HAS_EXPIRED')
    return 'its certificate is over; whoever runs the registry has to renew it';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return 'nothing speaks TLS there; is it http, or another port?';
  return 'look at the address, the port, and firewalls on the way';
}
