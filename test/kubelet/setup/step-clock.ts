import type { Clock } from '../../../src/core/index.ts';

/** Time that passes only while somebody sleeps. */
export function createStepClock(): Clock {
  let now = 1_800_000_000_000;
  return {
    now: () => now,
    async sleep(milliseconds, signal) {
      signal?.throwIfAborted();
      now += milliseconds;
    },
  };
}
