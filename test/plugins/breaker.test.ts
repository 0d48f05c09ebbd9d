import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBreaker } from '../../src/plugins/breaker.ts';

function setUp() {
  let now = 1_000_000;
  const changes: (number | 'closed')[] = [];
  const breaker = createBreaker(
    { failures: 3, firstRestMs: 10_000, longestRestMs: 60_000 },
    {
      clock: { now: () => now },
      onOpen: (restMs) => changes.push(restMs),
      onClose: () => changes.push('closed'),
    },
  );
  const fail = (times = 1) => {
    for (let time = 0; time < times; time += 1) breaker.pass().failed();
  };
  const passes = () => {
    try {
      breaker.pass().abandoned();
      return true;
    } catch {
      return false;
    }
  };
  return {
    breaker,
    changes,
    fail,
    passes,
    advance: (ms: number) => {
      now += ms;
    },
  };
}

describe('breaker', () => {
  it('opens after so many failures in a row, and not before', () => {
    const { fail, passes, changes, breaker } = setUp();
    fail(2);
    breaker.pass().succeeded();
    fail(2);
    expect(passes()).toBe(true);
    fail();
    expect(passes()).toBe(false);
    expect(() => breaker.check()).toThrow(expect.objectContaining({ code: 'resting' }));
    expect(changes).toEqual([10_000]);
  });

  it('lets one question through when it has rested, and no other meanwhile', () => {
    const { fail, passes, breaker, advance, changes } = setUp();
    fail(3);
    advance(9999);
    expect(passes()).toBe(false);
    advance(1);
    const probe = breaker.pass();
    expect(passes()).toBe(false);
    probe.succeeded();
    expect(passes()).toBe(true);
    expect(changes).toEqual([10_000, 'closed']);
  });

  it('rests longer each time, up to a limit, and shortly again once it was closed', () => {
    const { fail, breaker, advance, changes } = setUp();
    fail(3);
    for (const restMs of [10_000, 20_000, 40_000, 60_000, 60_000]) {
      advance(restMs - 1);
      expect(() => breaker.check()).toThrow();
      advance(1);
      fail();
    }
    advance(60_000);
    breaker.pass().succeeded();
    fail(3);
    expect(changes).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000, 'closed', 10_000]);
  });

  it('lets the next question through when the one was given up', () => {
    const { fail, passes, breaker, advance } = setUp();
    fail(3);
    advance(10_000);
    breaker.pass().abandoned();
    expect(passes()).toBe(true);
  });

  it('counts neither what began before it opened, nor anything twice', () => {
    const { fail, passes, breaker, advance, changes } = setUp();
    const [early, late] = [breaker.pass(), breaker.pass()];
    fail(3);
    early.succeeded();
    late.failed();
    expect(passes()).toBe(false);
    expect(changes).toEqual([10_000]);
    advance(10_000);
    const probe = breaker.pass();
    probe.failed();
    probe.succeeded();
    expect(passes()).toBe(false);
  });

  it('does not rest longer because a clock was set back', () => {
    const { fail, passes, advance } = setUp();
    fail(3);
    advance(-3_600_000);
    expect(passes()).toBe(true);
  });

  it('never stays shut for good, whatever happens', () => {
    const step = fc.constantFrom('succeeded', 'failed', 'abandoned');
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat(70_000)), { maxLength: 60 }), (steps) => {
        const { breaker, advance, passes } = setUp();
        for (const [outcome, ms] of steps) {
          advance(ms);
          try {
            breaker.pass()[outcome as 'failed']();
          } catch {
            // It rests.
          }
        }
        advance(60_000);
        expect(passes()).toBe(true);
      }),
    );
  });
});
