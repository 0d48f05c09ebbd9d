import type { Clock } from '../../../../src/core/index.ts';

/** A clock that stands still until it is told; sleeping moves it and takes no time. */
export interface FakeClock extends Clock {
  readonly sleeps: readonly number[];
  advance(milliseconds: number): void;
}

export function createFakeClock(start = 1_700_000_000_000): FakeClock {
  const sleeps: number[] = [];
  let now = start;
  return {
    sleeps,
    now: () => now,
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      sleeps.push(milliseconds);
      now += milliseconds;
    },
    advance: (milliseconds) => {
      now += milliseconds;
    },
  };
}
