import { getDomain } from 'tldts';
import { parseUrl } from '../../../../core/index.ts';
import { literalAddress } from '../../../../network/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { Target } from '../transport/index.ts';
import { knownRealms } from './known-realms.ts';

const MAXIMUM_REALM_LENGTH = 2048;

/**
 * Decides whether a token server that the registry names may see our credential: the registry's own origin, an
 * origin the configuration lists, the known one of a known registry, or otherwise an https host of the same
 * registrable domain. Whoever believes any realm gives the password to whoever controls one answer
 * (CVE-2026-33540).
 * @param listed origins
 * @throws {UpstreamError} `unsafe`
 */
export function allowedRealm(realm: string, registry: URL, listed: readonly string[]): Target {
  const url = isPlain(realm) ? parseUrl(realm) : undefined;
  const web = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (!url || !web || url.username + url.password !== '') throw unsafe('a realm that is no plain URL');
  if (url.origin === registry.origin) return { url, trust: 'own' };
  if (listed.some((origin) => parseUrl(origin)?.origin === url.origin)) return { url, trust: 'listed' };
  if (url.protocol !== 'https:' || url.port !== '' || literalAddress(url) !== undefined) {
    throw unsafe(`the realm ${url.origin}`);
  }
  const known = knownRealms(registry);
  if (known ? !known.includes(url.origin) : !sameRegistrableDomain(url, registry)) {
    throw unsafe(`the realm ${url.origin}`);
  }
  return { url, trust: 'public' };
}

function isPlain(realm: string): boolean {
  return realm.length <= MAXIMUM_REALM_LENGTH && /^[\x21-\x7e]+$/.test(realm) && !/[#\\]/.test(realm);
}

/** By the public suffix list with its private part: two customers of one hosting domain are not the same. */
function sameRegistrableDomain(one: URL, other: URL): boolean {
  const [a, b] = [one, other].map(({ hostname }) => getDomain(hostname, { allowPrivateDomains: true }));
  return typeof a === 'string' && a === b;
}

function unsafe(what: string): UpstreamError {
  return new UpstreamError(
    'unsafe',
    `the registry names ${what}; nothing was sent. If it is right, list it in the upstream's realms`,
  );
}
