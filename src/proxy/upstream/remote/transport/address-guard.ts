import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { UpstreamError } from '../../errors.ts';
import type { Target, Trust } from './transport.ts';

/** All addresses of a host name. */
export type HostLookup = (hostname: string) => Promise<readonly LookupAddress[]>;

export const systemHostLookup: HostLookup = (hostname) => systemLookup(hostname, { all: true });

const GLOBAL_UNICAST_IPV6 = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number];
const WELL_KNOWN_NAT64 = ipaddr.parseCIDR('64:ff9b::/96') as [ipaddr.IPv6, number];

/**
 * Whether an address belongs to a host of the public internet. An IPv6 address that stands for an IPv4 one
 * (mapped, or NAT64's well-known prefix) is judged by that; other kinds of tunnel are refused.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address instanceof ipaddr.IPv4) return address.range() === 'unicast';
  if (address.isIPv4MappedAddress()) return address.toIPv4Address().range() === 'unicast';
  if (address.match(WELL_KNOWN_NAT64)) {
    return ipaddr.fromByteArray(address.toByteArray().slice(12)).range() === 'unicast';
  }
  return address.match(GLOBAL_UNICAST_IPV6) && address.range() === 'unicast';
}

/** The IP address that stands in a URL itself, without the brackets; undefined for a name. */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? undefined : host;
}

/**
 * Checks what can be seen without asking DNS.
 * @throws {UpstreamError} `unsafe`
 */
export function requireSafeTarget({ url, trust }: Target): void {
  if (trust !== 'public') return;
  const literal = literalAddress(url);
  const local = /(?:^|\.)localhost\.?$/.test(url.hostname);
  if (url.protocol !== 'https:' || local || (literal !== undefined && !isPublicAddress(literal))) {
    throw unsafe(url.hostname);
  }
}

/**
 * The look-up that a connection is made with: what it returns is what gets dialled, so a name can't change its
 * address between the check and the call. For `public` targets only public addresses come back.
 */
export function guardedLookup(trust: Trust, resolve: HostLookup): LookupFunction {
  return (hostname: string, options: LookupOptions, callback) => {
    resolve(hostname).then(
      (all) => {
        const addresses =
          trust === 'public' ? all.filter(({ address }) => isPublicAddress(address)) : [...all];
        const [first] = addresses;
        if (!first) callback(unsafe(hostname), '');
        else if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}

function unsafe(hostname: string): UpstreamError {
  return new UpstreamError(
    'unsafe',
    `${hostname} has no public address, and the configuration does not list it`,
  );
}
