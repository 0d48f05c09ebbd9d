/** Exponential growth from `baseMs`, never above `capMs`. */
export interface BackoffOptions {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * How long to wait before try number `attempt` (1 for the first repetition), in milliseconds.
 * Full jitter: anywhere between zero and the exponential bound, so that many waiters spread out.
 */
export function backoffDelayMs(attempt: number, options: BackoffOptions, random: () => number): number {
  return random() * Math.min(options.capMs, options.baseMs * 2 ** (attempt - 1));
}
