import type { Clock } from '../../../../core/index.ts';
import { retryAfterMs } from '../answers/index.ts';
import type { AnswerHeaders } from '../transport/index.ts';
import { type RateLimit, readRateLimit } from './rate-limit.ts';

/** The longest window that is known; a registry that asks for more is asked again after it. */
const LONGEST_PAUSE_MS = 6 * 60 * 60_000;
/** So long a 429 that does not say for how long counts as "nothing left". */
const SPENT_MS = 60_000;
/** A timer may fire a little before the clock says so. */
const TIMER_SLACK_MS = 20;
const DEFAULT_WINDOW_SECONDS = 6 * 60 * 60;

/** What one credential may still take from a registry, by the registry's own word. */
export class Budget {
  readonly #clock: Pick<Clock, 'now'>;
  #last: { readonly limit: RateLimit; readonly at: number } | undefined;
  #pausedUntil = 0;
  #spentUntil = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** @returns what the answer says about the limit, if it does */
  note({
    status,
    headers,
  }: {
    readonly status: number;
    readonly headers: AnswerHeaders;
  }): RateLimit | undefined {
    const limit = readRateLimit(headers);
    if (limit) this.#last = { limit, at: this.#clock.now() };
    if (status === 429 && !this.pause(headers.get('retry-after'))) {
      this.#spentUntil = this.#clock.now() + SPENT_MS;
    }
    return limit;
  }

  /**
   * Takes a `Retry-After` at its word.
   * @returns false without one, or with one that can't be read: then nothing is paused
   */
  pause(retryAfter: string | undefined): boolean {
    const now = this.#clock.now();
    const waitMs = retryAfterMs(retryAfter, now);
    if (waitMs === undefined) return false;
    this.#pausedUntil = Math.max(this.#pausedUntil, now + Math.min(LONGEST_PAUSE_MS, waitMs));
    return true;
  }

  /** Milliseconds until the registry may be asked again; 0 when it may be now. */
  get pausedMs(): number {
    const leftMs = this.#pausedUntil - this.#clock.now();
    return leftMs > TIMER_SLACK_MS ? leftMs : 0;
  }

  /** Whether the registry counts what this credential pulls. */
  get isCounted(): boolean {
    return this.#last !== undefined;
  }

  /** Pulls that are left; without a limit where nothing is known, or what was known is over. */
  get remaining(): number {
    if (this.#clock.now() < this.#spentUntil) return 0;
    if (!this.#last) return Number.POSITIVE_INFINITY;
    const { limit, at } = this.#last;
    const windowMs = (limit.windowSeconds ?? DEFAULT_WINDOW_SECONDS) * 1000;
    return this.#clock.now() - at < windowMs ? limit.remaining : Number.POSITIVE_INFINITY;
  }
}
