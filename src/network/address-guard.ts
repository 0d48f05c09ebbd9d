import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { isPublicAddress, literalAddress } from './public-address.ts';

/**
 * Which hosts a connection may go to. `any`: the configuration names the host, so it may be anywhere. `public`: only
 * somebody else named it; then https, and public addresses alone.
 */
export type Reach = 'any' | 'public';

/** All addresses of a host name. */
export type HostLookup = (hostname: string) => Promise<readonly LookupAddress[]>;

export const systemHostLookup: HostLookup = (hostname) => systemLookup(hostname, { all: true });

/** Somebody else named a host that lies within this network, or asked for plain http. */
export class UnsafeAddressError extends Error {
  constructor(readonly hostname: string) {
    super(`${hostname} has no public address, and the configuration does not list it`);
    this.name = 'UnsafeAddressError';
  }
}

/**
 * Checks what can be seen without asking DNS.
 * @throws {UnsafeAddressError}
 */
export function requireSafeUrl(url: URL, reach: Reach): void {
  if (reach === 'any') return;
  const literal = literalAddress(url);
  const local = /(?:^|\.)localhost\.?$/.test(url.hostname);
  if (url.protocol !== 'https:' || local || (literal !== undefined && !isPublicAddress(literal))) {
    throw new UnsafeAddressError(url.hostname);
  }
}

/**
 * The look-up that a connection is made with: what it returns is what gets dialled, so a name can't change its
 * address between the check and the call. Within `public` reach only public addresses come back.
 */
export function guardedLookup(reach: Reach, resolve: HostLookup): LookupFunction {
  return (hostname: string, options: LookupOptions, callback) => {
    resolve(hostname).then(
      (all) => {
        const addresses =
          reach === 'public' ? all.filter(({ address }) => isPublicAddress(address)) : [...all];
        const [first] = addresses;
        if (!first) callback(new UnsafeAddressError(hostname), '');
        else if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}
