import type { Clock } from '../../../src/core/index.ts';

/** A clock that stands still until it is moved. */
export interface HeldClock extends Clock {
  /** How many sleep. */
  sleeping(): number;
  advance(milliseconds: number): void;
}

export function createHeldClock(start = 1_000_000): HeldClock {
  let now = start;
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  return {
    now: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { until: now + milliseconds, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener(
          'abort',
          () => {
            sleepers.delete(sleeper);
            reject(signal.reason);
          },
          { once: true },
        );
      }),
    sleeping: () => sleepers.size,
    advance(milliseconds) {
      now += milliseconds;
      for (const sleeper of sleepers) {
        if (sleeper.until > now) continue;
        sleepers.delete(sleeper);
        sleeper.wake();
      }
    },
  };
}
