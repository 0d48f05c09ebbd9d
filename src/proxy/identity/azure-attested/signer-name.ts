import type { X509Certificate } from 'node:crypto';

/**
 * Whether a certificate is for one of these host names or for one below. Alternative names count where there are any, else the
 * common name.
 */
export function isSignedFor(certificate: X509Certificate, names: readonly string[]): boolean {
  const own = alternativeNames(certificate) ?? commonNames(certificate);
  return own.some((name) =>
    names.some((wanted) => name === wanted || (name.endsWith(`.${wanted}`) && isHostName(name))),
  );
}

function alternativeNames({ subjectAltName }: X509Certificate): string[] | undefined {
  // A name with a comma or a quote in it is printed in quotes: no host name has them, and none is taken apart.
  if (subjectAltName === undefined) return undefined;
  // Node answers with null where it can't read the extension.
  if (!subjectAltName || subjectAltName.includes('"')) return [];
  return subjectAltName
    .split(', ')
    .filter((name) => name.startsWith('DNS:'))
    .map((name) => name.slice('DNS:'.length).toLowerCase());
}

function commonNames({ subject }: X509Certificate): string[] {
  const names = subject.split('\n').filter((part) => part.startsWith('CN='));
  // With several, it would be anybody's guess which one was checked by who issued it.
  return names.length === 1 ? names.map((name) => name.slice('CN='.length).toLowerCase()) : [];
}

function isHostName(name: string): boolean {
  return /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]+$/.test(name);
}
