import { parseChallenges } from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { Target } from '../transport/index.ts';
import { allowedRealm } from './realm.ts';

/** How a registry wants to be shown a credential. */
export type Scheme =
  | { readonly type: 'basic' }
  | { readonly type: 'bearer'; readonly realm: Target; readonly service: string | undefined };

/**
 * Chooses from what a 401 answer offers; a bearer token before a password. The challenge's `scope` is not used:
 * what we ask for is ours to say, and a registry that names another repository or `push` must not widen it.
 * @param headers the values of `WWW-Authenticate`
 * @param realms origins of token servers that the configuration lists
 * @throws {UpstreamError} `refused` when nothing we know is offered, `unsafe` for a realm that is not allowed
 */
export function chooseScheme(headers: readonly string[], registry: URL, realms: readonly string[]): Scheme {
  const challenges = parseChallenges(headers);
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer) {
    const realm = allowedRealm(bearer.parameters.get('realm') ?? '', registry, realms);
    return { type: 'bearer', realm, service: bearer.parameters.get('service') };
  }
  if (challenges.some(({ scheme }) => scheme === 'basic')) return { type: 'basic' };
  const offered = challenges.map(({ scheme }) => scheme).join(', ') || 'none';
  throw new UpstreamError(
    'refused',
    `the registry answered 401 and offers no login that we know (${offered})`,
  );
}

/** Whether a credential for one scheme is a credential for the other. */
export function sameScheme(one: Scheme, other: Scheme): boolean {
  if (one.type === 'basic' || other.type === 'basic') return one.type === other.type;
  return one.realm.url.href === other.realm.url.href && one.service === other.service;
}
