import { parseUrl } from '../../../../core/index.ts';
import type { Digest } from '../../../../oci/index.ts';
import { redirectTarget } from '../redirect-target.ts';
import type { Target } from '../transport/index.ts';

/** What is more can't be carried through a client's URL. */
const MAXIMUM_LENGTH = 4096;

/**
 * Where an upload goes on, from the `Location` of an answer, as short as it can be said: without the registry's origin.
 * Elsewhere it may lead only where a redirect may. A registry behind a TLS proxy often calls itself by http; its own
 * host is asked by https all the same.
 * @throws {UpstreamError} `unsafe`
 */
export function readLocation(
  header: string | undefined,
  from: URL,
  registry: URL,
  listed: readonly string[],
): string {
  const location = header !== undefined && header.length <= MAXIMUM_LENGTH ? header : undefined;
  const { url } = redirectTarget(upgraded(location, from, registry), from, registry, listed);
  return url.origin === registry.origin ? `${url.pathname}${url.search}` : url.href;
}

/**
 * The way back. What is allowed is asked again, because the configuration may have changed since.
 * @throws {UpstreamError} `unsafe`
 */
export function openLocation(location: string, registry: URL, listed: readonly string[]): Target {
  return redirectTarget(location, registry, registry, listed);
}

/** The registry's own query stays as it is, byte for byte: it may be signed. */
export function withDigest(url: URL, digest: Digest): URL {
  const finishing = new URL(url);
  const parameter = `digest=${encodeURIComponent(digest)}`;
  finishing.search = url.search === '' ? `?${parameter}` : `${url.search}&${parameter}`;
  return finishing;
}

function upgraded(location: string | undefined, from: URL, registry: URL): string | undefined {
  const url = location === undefined ? undefined : parseUrl(location, from);
  const ownByHttp =
    registry.protocol === 'https:' && url?.protocol === 'http:' && url.hostname === registry.hostname;
  if (!url || !ownByHttp || (url.port !== '' && url.port !== registry.port)) return location;
  return `${registry.origin}${url.pathname}${url.search}`;
}
