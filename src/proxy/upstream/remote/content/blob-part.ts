import { type ByteRange, parseContentRange } from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { Answer } from '../transport/index.ts';
import { contentLength } from './content-length.ts';

/** Which bytes of a blob an answer brings. */
export interface BlobPart {
  readonly start: number;
  /** Inclusive; undefined where the answer does not say. For an empty blob it is -1. */
  readonly end: number | undefined;
  /** Of the whole blob. */
  readonly sizeBytes: number | undefined;
}

/**
 * Reads what a 200 or 206 answer says about itself.
 * @param asked the range that was asked for; a 206 has to begin there and must not go beyond
 * @throws {UpstreamError} `faulty`
 */
export function blobPart(answer: Answer, asked: ByteRange | undefined): BlobPart {
  const lengthBytes = contentLength(answer.headers);
  if (answer.status === 200) {
    return { start: 0, end: lengthBytes === undefined ? undefined : lengthBytes - 1, sizeBytes: lengthBytes };
  }
  const range = parseContentRange(answer.headers.get('content-range') ?? '');
  if (!asked || !range) throw faulty('does not say which part it is');
  const { start, end, size } = range;
  if (start !== asked.start || (asked.end !== undefined && end > asked.end)) throw faulty('is another part');
  if (size !== undefined && (end >= size || end < Math.min(asked.end ?? size - 1, size - 1))) {
    throw faulty('is less than was asked for');
  }
  if (lengthBytes !== undefined && lengthBytes !== end - start + 1)
    throw faulty('has another length than its range');
  return { start, end, sizeBytes: size };
}

function faulty(what: string): UpstreamError {
  return new UpstreamError('faulty', `the answer to a range request ${what}`);
}
