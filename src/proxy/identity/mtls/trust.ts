import { X509Certificate } from 'node:crypto';

const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
const ANY_USAGE = '2.5.29.37.0';
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads all certificates of a PEM file.
 * @throws {Error} when there is none, or one is no certificate authority's
 */
export function parseAuthorities(pem: string): X509Certificate[] {
  const authorities = [...pem.matchAll(PEM_CERTIFICATE)].map(([text]) => new X509Certificate(text));
  if (authorities.length === 0) throw new Error('there is no PEM certificate in it');
  const other = authorities.find((certificate) => !certificate.ca);
  if (other) throw new Error(`serial number ${other.serialNumber} is no certificate authority's`);
  return authorities;
}

/**
 * Why a client certificate is not believed; undefined when it is. The authorities are trusted as they stand, so a chain
 * is one step: whoever issued the certificate has to be among them.
 */
export function reasonToRefuse(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  nowMs: number,
): string | undefined {
  if (certificate.ca) return "it is a certificate authority's own";
  if (!isCurrent(certificate, nowMs)) return 'it is not valid at this time';
  // Node calls the extended key usage so; undefined where the certificate has none and may be used for anything.
  const usages: readonly string[] | undefined = certificate.keyUsage;
  if (usages && !usages.includes(CLIENT_AUTHENTICATION) && !usages.includes(ANY_USAGE)) {
    return 'it is not for client authentication';
  }
  const issuer = authorities.find(
    (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
  );
  if (!issuer) return 'none of the authorities has issued it';
  return isCurrent(issuer, nowMs) ? undefined : 'its authority is not valid at this time';
}

function isCurrent(certificate: X509Certificate, nowMs: number): boolean {
  return Date.parse(certificate.validFrom) <= nowMs && nowMs < Date.parse(certificate.validTo);
}
