import { type ErrorCode, RegistryError } from '../../oci/index.ts';
import { UpstreamError } from '../upstream/index.ts';
import type { Operation } from './exchange.ts';

const UNKNOWN_BY_OPERATION: Partial<Record<Operation, ErrorCode>> = {
  manifest: 'MANIFEST_UNKNOWN',
  blob: 'BLOB_UNKNOWN',
};

const MESSAGE_BY_CODE: Partial<Record<ErrorCode, string>> = {
  NAME_UNKNOWN: 'there is no such repository',
  MANIFEST_UNKNOWN: 'there is no such manifest in this repository',
  BLOB_UNKNOWN: 'there is no such blob in this repository',
};

/**
 * Turns whatever went wrong into the protocol's form. An upstream's trouble is told as such (502, 503, 429) and never
 * as "unknown", so that clients neither give up nor believe that the image is gone. Names of upstreams stay inside.
 */
export function toRegistryError(error: unknown, operation: Operation): RegistryError {
  if (error instanceof RegistryError) return error;
  if (error instanceof UpstreamError) return fromUpstream(error, operation);
  return new RegistryError('UNKNOWN', 'the proxy failed; its log has the cause under the request id', {
    cause: error,
  });
}

function fromUpstream(error: UpstreamError, operation: Operation): RegistryError {
  const cause = error;
  const headers: Record<string, string> =
    error.retryAfter === undefined ? {} : { 'Retry-After': error.retryAfter };
  switch (error.kind) {
    case 'not-found': {
      const code = UNKNOWN_BY_OPERATION[operation] ?? 'NAME_UNKNOWN';
      return new RegistryError(code, MESSAGE_BY_CODE[code] ?? 'there is no such thing', { cause });
    }
    case 'rate-limited':
      return new RegistryError('TOOMANYREQUESTS', "the upstream's rate limit is used up; try again later", {
        cause,
        headers,
      });
    case 'unreachable':
      return new RegistryError('UNAVAILABLE', 'the upstream can not be reached; try again later', {
        cause,
        headers,
      });
    case 'refused':
      return unavailable('the upstream does not let the proxy read this, or has no such repository', cause);
    case 'unsafe':
      return unavailable('the upstream pointed to a place that the proxy must not follow', cause);
    case 'faulty':
      return unavailable('the upstream gave an answer that can not be used', cause);
    case 'unsupported':
      return new RegistryError('UNSUPPORTED', 'the upstream does not support this', { cause });
    case 'range':
      return new RegistryError('RANGE_INVALID', 'the range lies outside the blob', { cause });
  }
}

function unavailable(message: string, cause: unknown): RegistryError {
  return new RegistryError('UNAVAILABLE', message, { status: 502, cause });
}
