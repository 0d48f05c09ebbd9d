import * as tls from 'node:tls';
import type { Trust } from './transport.ts';

/**
 * Whose certificates a connection believes; undefined means the system list. The upstream's own certificate
 * authority stands alone for the upstream itself. Token servers and storage may have a certificate from it too,
 * but they are often somebody else's public service.
 */
export function trustedCertificates(trust: Trust, own: string | undefined): string[] | undefined {
  if (own === undefined) return undefined;
  return trust === 'own' ? [own] : [own, ...systemCertificates()];
}

function systemCertificates(): readonly string[] {
  return 'getCACertificates' in tls && typeof tls.getCACertificates === 'function'
    ? tls.getCACertificates('default')
    : tls.rootCertificates;
}
