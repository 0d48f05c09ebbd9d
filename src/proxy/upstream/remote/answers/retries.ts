import { type BackoffOptions, backoffDelayMs, type Clock } from '../../../../core/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { AnswerHeaders } from '../transport/index.ts';
import { retryAfterMs } from './retry-after.ts';

const MAXIMUM_RETRIES = 2;
const BACKOFF: BackoffOptions = { baseMs: 100, capMs: 2000 };
const LONGEST_WAIT_MS = 5000;
const RETRIED_STATUSES: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

export interface RetryDependencies {
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly onRetry: () => void;
}

interface Answered {
  readonly status: number;
  readonly headers: AnswerHeaders;
  discard?(): void;
}

/**
 * Repeats a request that changes nothing, when no answer came or one that says "not now". A registry that names a
 * longer wait than we would make a client stand still for is taken at its word: its answer is returned at once.
 * @returns the first answer of another kind, or the last one
 */
export async function withRetries<T extends Answered>(
  request: () => Promise<T>,
  signal: AbortSignal,
  { clock, random, onRetry }: RetryDependencies,
): Promise<T> {
  for (let retry = 1; ; retry += 1) {
    const answer = await request().catch((error: unknown) => {
      if (isTransient(error) && retry <= MAXIMUM_RETRIES && !signal.aborted) return undefined;
      throw error;
    });
    if (answer && (!RETRIED_STATUSES.has(answer.status) || retry > MAXIMUM_RETRIES)) return answer;
    const waitMs = answer && retryAfterMs(answer.headers.get('retry-after'), clock.now());
    if (answer && waitMs !== undefined && waitMs > LONGEST_WAIT_MS) return answer;
    answer?.discard?.();
    onRetry();
    await clock.sleep(waitMs ?? backoffDelayMs(retry, BACKOFF, random), signal);
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof UpstreamError && error.kind === 'unreachable' && error.retryAfter === undefined;
}
