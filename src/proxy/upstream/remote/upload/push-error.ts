import { type ErrorCode, isRecord, STATUS_BY_ERROR_CODE } from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';
import { type SmallAnswer, statusError } from '../answers/index.ts';

/** What a registry may say of a push, and a client may hear. */
const TOLD: ReadonlySet<string> = new Set<ErrorCode>([
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DENIED',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'RANGE_INVALID',
  'SIZE_INVALID',
  'TAG_INVALID',
  'UNSUPPORTED',
]);

/** Statuses that are about what was pushed, and not about the registry's own trouble. */
const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  403: 'DENIED',
  405: 'UNSUPPORTED',
  // Registries that keep tags from being changed answer so.
  409: 'DENIED',
  412: 'DENIED',
  413: 'SIZE_INVALID',
  416: 'RANGE_INVALID',
};
const BAD_REQUEST = 400;
const NOT_FOUND = 404;
const CONFLICTS: ReadonlySet<number> = new Set([409, 412]);

/** The code for a bare 400 or 404, which depends on what was asked. */
export interface Meanings {
  readonly badRequest: ErrorCode;
  readonly notFound: ErrorCode;
}

/**
 * Why a registry did not do what was asked. Of its own words only a known code goes on; a message may hold its names.
 * @param what was asked for, for the log
 */
export function pushError(answer: SmallAnswer, what: string, meanings: Meanings): UpstreamError {
  const { status } = answer;
  const byStatus =
    status === BAD_REQUEST
      ? meanings.badRequest
      : status === NOT_FOUND
        ? meanings.notFound
        : CODE_BY_STATUS[status];
  if (byStatus === undefined) return statusError(answer, what);
  const code = status === 403 || status === 413 ? byStatus : (codeIn(answer.content) ?? byStatus);
  return new UpstreamError('rejected', `asked for ${what}, answered ${status} ${code}`, {
    rejection: { code, status: CONFLICTS.has(status) ? STATUS_BY_ERROR_CODE[code] : status },
  });
}

function codeIn(content: Buffer): ErrorCode | undefined {
  try {
    const body: unknown = JSON.parse(content.toString('utf8'));
    const [first]: unknown[] = isRecord(body) && Array.isArray(body.errors) ? body.errors : [];
    const code = isRecord(first) ? first.code : undefined;
    return typeof code === 'string' && TOLD.has(code) ? (code as ErrorCode) : undefined;
  } catch {
    return undefined;
  }
}
