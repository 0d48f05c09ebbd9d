import type { X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { RegistryError } from '../../oci/index.ts';
import type { RequestBody } from './request-body.ts';

/** A request as the handlers see it: read once at the door, plain values only. */
export interface RegistryRequest {
  readonly id: string;
  readonly method: string;
  /** The raw path, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The client's address, as far as trusted proxies vouch for it. */
  readonly client: string;
  /** The host the client used, in lower case. */
  readonly host: string;
  /** The URL clients know us by, without a slash at its end. */
  readonly publicUrl: string;
  /** The token service's name; a token is good for this service only. */
  readonly service: string;
  /**
   * The certificate that the client showed.
   * @throws {RegistryError} when a trusted proxy passed on what is none
   */
  readonly certificate: () => X509Certificate | undefined;
  /** Form fields of a POST to the token endpoint. */
  readonly form: URLSearchParams | undefined;
  /** What a push brings; not read yet. */
  readonly body: RequestBody;
  /** Aborted when the client has gone away. */
  readonly signal: AbortSignal;
}

/** The parts of a request line and header that are needed to read it. */
export interface RawRequest {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

const MAXIMUM_QUERY_LENGTH = 8192;
const HOST = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:]+\])(?::\d{1,5})?$/;
const SINGLE_HEADERS: ReadonlySet<string> = new Set(['host', 'authorization']);

/**
 * Splits a request target. Only the origin form is taken: a client that sends an absolute URL takes us for a forward proxy.
 * @throws {RegistryError} UNSUPPORTED, status 400
 */
export function readTarget(url: string): { path: string; query: URLSearchParams } {
  if (!url.startsWith('/')) throw badRequest('the request target has to be a path');
  const mark = url.indexOf('?');
  const query = mark < 0 ? '' : url.slice(mark + 1);
  if (query.length > MAXIMUM_QUERY_LENGTH) throw badRequest('the query is too long');
  return { path: mark < 0 ? url : url.slice(0, mark), query: new URLSearchParams(query) };
}

/** @throws {RegistryError} when a header that decides who asks whom comes twice. */
export function refuseRepeatedHeaders(rawHeaders: readonly string[]): void {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (!SINGLE_HEADERS.has(name)) continue;
    if (seen.has(name)) throw badRequest(`the header ${name} comes twice`);
    seen.add(name);
  }
}

/** @throws {RegistryError} for a host that could not be a registry's. */
export function readHost(host: string | undefined): string {
  const lower = host?.toLowerCase() ?? '';
  if (!HOST.test(lower)) throw badRequest('the Host header is missing or not valid');
  return lower;
}

export function badRequest(message: string): RegistryError {
  return new RegistryError('UNSUPPORTED', message, { status: 400 });
}
