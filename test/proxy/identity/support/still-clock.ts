import type { Clock } from '../../../../src/core/index.ts';

/** A clock that stands still until it is told otherwise; who sleeps wakes up when the time has come. */
export interface StillClock extends Clock {
  advance(milliseconds: number): void;
}

export function createStillClock(start = Date.UTC(2026, 0, 1)): StillClock {
  let now = start;
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  return {
    now: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { until: now + milliseconds, wake: () => resolve() };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
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
