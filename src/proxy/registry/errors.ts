import { type ErrorCode, RegistryError } from '../../oci/index.ts';
import { type Rejection, UpstreamError } from '../upstream/index.ts';
import type { Operation } from './exchange.ts';

const UNKNOWN_BY_OPERATION: Partial<Record<Operation, ErrorCode>> = {
  manifest: 'MANIFEST_UNKNOWN',
  blob: 'BLOB_UNKNOWN',
  upload: 'BLOB_UPLOAD_UNKNOWN',
};

const MESSAGE_BY_CODE: Partial<Record<ErrorCode, string>> = {
  NAME_UNKNOWN: 'there is no such repository',
  MANIFEST_UNKNOWN: 'there is no such manifest in this repository',
  BLOB_UNKNOWN: 'there is no such blob in this repository',
  BLOB_UPLOAD_UNKNOWN: 'there is no such upload; start a new one',
  BLOB_UPLOAD_INVALID: 'the upload can not go on like this; start a new one',
  DENIED: 'the upstream refuses this',
  DIGEST_INVALID: 'the digest is not that of what was sent',
  MANIFEST_BLOB_UNKNOWN:
    'the manifest names a blob or a manifest that is not in this repository; push that first',
  MANIFEST_INVALID: 'the manifest is not valid',
  NAME_INVALID: 'the upstream can not have a repository of this name',
  RANGE_INVALID: 'the chunk does not follow what is there',
  SIZE_INVALID: 'the upstream takes nothing of this size',
  TAG_INVALID: 'the upstream refuses this tag',
  UNSUPPORTED: 'the upstream does not support this',
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
      return unavailable('the upstream does not let the proxy do this, or has no such repository', cause);
    case 'unsafe':
      return unavailable('the upstream pointed to a place that the proxy must not follow', cause);
    case 'faulty':
      return unavailable('the upstream gave an answer that can not be used', cause);
    case 'unsupported':
      return new RegistryError('UNSUPPORTED', 'the upstream does not support this', { cause });
    case 'rejected': {
      const { code, status }: Partial<Rejection> & Pick<Rejection, 'code'> = error.rejection ?? {
        code: 'DENIED',
      };
      return new RegistryError(code, MESSAGE_BY_CODE[code] ?? 'the upstream refuses this', {
        cause,
        ...(status !== undefined && { status }),
      });
    }
    case 'range':
      return new RegistryError('RANGE_INVALID', 'the range lies outside the blob', { cause });
  }
}

function unavailable(message: string, cause: unknown): RegistryError {
  return new RegistryError('UNAVAILABLE', message, { status: 502, cause });
}
