import { parseUrl } from '../../../core/index.ts';
import { UpstreamError } from '../errors.ts';
import { requireSafeTarget, type Target } from './transport/index.ts';

const MAXIMUM_LOCATION_LENGTH = 16 * 1024;

/**
 * Where a redirect leads, if it may be followed: within the registry's origin, to an origin the configuration
 * lists, or by https to a public host. Messages name the origin alone, because a query may hold a signature.
 * @param listed origins
 * @throws {UpstreamError} `unsafe`
 */
export function redirectTarget(
  location: string | undefined,
  from: URL,
  registry: URL,
  listed: readonly string[],
): Target {
  const url = location && location.length <= MAXIMUM_LOCATION_LENGTH ? parseUrl(location, from) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new UpstreamError('unsafe', `${from.origin} redirects to what is no address`);
  }
  if (url.username + url.password !== '') {
    throw new UpstreamError('unsafe', `${from.origin} redirects to an address with a user name`);
  }
  url.hash = '';
  if (listed.some((origin) => parseUrl(origin)?.origin === url.origin)) return { url, trust: 'listed' };
  if (from.protocol === 'https:' && url.protocol === 'http:') {
    throw new UpstreamError('unsafe', `${from.origin} redirects from https to ${url.origin}`);
  }
  if (url.origin === registry.origin) return { url, trust: 'own' };
  const target: Target = { url, trust: 'public' };
  requireSafeTarget(target);
  return target;
}
