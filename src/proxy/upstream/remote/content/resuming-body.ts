import { type BackoffOptions, type ByteStream, backoffDelayMs, type Clock } from '../../../../core/index.ts';
import type { ByteRange } from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { BlobPart } from './blob-part.ts';

/** A body on its way, and which bytes it brings. */
export interface OpenedBlob extends BlobPart {
  readonly body: ByteStream;
}

export interface ResumeDependencies {
  /** Asks the registry again, from the beginning of its redirects. */
  readonly open: (range: ByteRange) => Promise<OpenedBlob>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onResume: (error: unknown) => void;
}

const MAXIMUM_FAILURES = 5;
const BACKOFF: BackoffOptions = { baseMs: 100, capMs: 5000 };
/** So many bytes since the last failure show that going on is worth it. */
const PROGRESS_BYTES = 1024 * 1024;

/**
 * The bytes of `first`, to the end, however often the connection breaks on the way: what is missing is asked for
 * with a range. A registry that ignores the range sends the whole again, and what is already here is skipped.
 * @throws {UpstreamError} when it cannot be finished: `unreachable` after several failures without progress
 */
export async function* resumingBody(
  first: OpenedBlob,
  signal: AbortSignal,
  { open, clock, random, onResume }: ResumeDependencies,
): ByteStream {
  const { end, sizeBytes } = first;
  let position = first.start;
  let failures = 0;
  let failedAt = position;
  let current: OpenedBlob | undefined = first;
  for (;;) {
    try {
      current ??= sameBlob(
        await open({ start: position, ...(end !== undefined && { end }) }),
        end,
        sizeBytes,
      );
      for await (const chunk of skip(current.body, position - current.start)) {
        const wanted = end === undefined ? chunk : chunk.subarray(0, end + 1 - position);
        if (wanted.length < chunk.length && current.end === end) {
          throw new UpstreamError('faulty', 'a body goes on behind its end');
        }
        position += wanted.length;
        yield wanted;
        if (wanted.length < chunk.length) return;
      }
      if (end === undefined || position > end) return;
      throw new UpstreamError('unreachable', `a body ended after ${position} of ${end + 1} bytes`);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (end !== undefined && position > end) return;
      if (!(error instanceof UpstreamError) || error.kind !== 'unreachable') throw error;
      if (position - failedAt >= PROGRESS_BYTES) failures = 0;
      failedAt = position;
      failures += 1;
      if (failures > MAXIMUM_FAILURES) throw error;
      onResume(error);
    }
    current = undefined;
    await clock.sleep(backoffDelayMs(failures, BACKOFF, random), signal);
  }
}

function sameBlob(opened: OpenedBlob, end: number | undefined, sizeBytes: number | undefined): OpenedBlob {
  const sameSize =
    opened.sizeBytes === undefined || sizeBytes === undefined || opened.sizeBytes === sizeBytes;
  if (sameSize && (opened.end === undefined || end === undefined || opened.end >= end)) return opened;
  throw new UpstreamError('faulty', 'the blob has another size than before');
}

/** The body without its first `count` bytes. */
async function* skip(body: ByteStream, count: number): ByteStream {
  let left = count;
  for await (const chunk of body) {
    const rest = chunk.subarray(Math.min(left, chunk.length));
    left -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
