import type { X509Certificate } from 'node:crypto';

/**
 * Looks for a way from a signer over one of the intermediates to one of the roots: each certificate issued and signed by
 * the next, and all of them in time.
 */
export function hasChain(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
): boolean {
  if (!isInTime(leaf, now)) return false;
  return intermediates.some(
    (intermediate) =>
      isIssuedBy(leaf, intermediate) &&
      isInTime(intermediate, now) &&
      roots.some((root) => isInTime(root, now) && isIssuedBy(intermediate, root)),
  );
}

/** Names, key identifiers, the right to issue, and the signature. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // Of a signature algorithm or key that is none.
    return false;
  }
}

function isInTime({ validFrom, validTo }: X509Certificate, now: number): boolean {
  return Date.parse(validFrom) <= now && now <= Date.parse(validTo);
}
