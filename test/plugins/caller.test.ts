import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/index.ts';
import { type CallerOptions, createCaller } from '../../src/plugins/caller.ts';
import { PluginError } from '../../src/plugins/index.ts';
import { createLogBook, errorOf } from './support.ts';

/** A clock whose sleepers wake when the test says so. */
function createManualClock() {
  const sleepers = new Set<() => void>();
  let now = 1_000_000;
  const clock: Clock = {
    now: () => now,
    sleep: (_, signal) =>
      new Promise((resolve, reject) => {
        sleepers.add(resolve);
        signal?.addEventListener('abort', () => {
          sleepers.delete(resolve);
          reject(signal.reason);
        });
      }),
  };
  const wakeAll = () => {
    for (const wake of sleepers) wake();
  };
  const advance = (ms: number) => {
    now += ms;
  };
  return { clock, sleepers, wakeAll, advance };
}

function setUp(options: Partial<CallerOptions> = {}) {
  const manual = createManualClock();
  const book = createLogBook();
  let closings = 0;
  const transport = {
    ask: () => Promise.reject(new Error('unused')),
    close: async () => {
      closings += 1;
    },
  };
  const limits = { timeoutMs: 5000, concurrency: 1, queueLimit: 1, ...options };
  const caller = createCaller(transport, limits, { clock: manual.clock, log: book.log });
  return { ...manual, ...book, caller, closings: () => closings };
}

const { signal } = new AbortController();
const never = () => new Promise<never>(() => undefined);
const fail = () => Promise.reject(new PluginError('nonsense', 'nonsense'));

describe('caller', () => {
  it('gives up when time is over, tells the plugin, and lets the next one in', async () => {
    const { caller, wakeAll, sleepers } = setUp();
    let given: AbortSignal | undefined;
    const hanging = errorOf(
      caller.call((_, limited) => {
        given = limited;
        return never();
      }, signal),
    );
    wakeAll();
    expect(await hanging).toMatchObject({ code: 'timeout', message: 'no answer within 5 s' });
    expect(given?.aborted).toBe(true);
    expect(await caller.call(async () => 'answer', signal)).toBe('answer');
    expect(sleepers.size).toBe(0);
  });

  it('counts waiting for a turn as waiting, but not as a failure of the plugin', async () => {
    const { caller, wakeAll } = setUp({ breaker: { failures: 2, firstRestMs: 1, longestRestMs: 1 } });
    const first = errorOf(caller.call(never, signal));
    const second = errorOf(caller.call(never, signal));
    expect((await errorOf(caller.call(never, signal))).code).toBe('busy');
    wakeAll();
    expect((await first).code).toBe('timeout');
    expect((await second).code).toBe('timeout');
    expect(await caller.call(async () => 'answer', signal)).toBe('answer');
  });

  it('does not even wait while the plugin is left alone, and says so once', async () => {
    const { caller, lines } = setUp();
    for (let failure = 0; failure < 5; failure += 1) await errorOf(caller.call(fail, signal));
    for (let time = 0; time < 10; time += 1) {
      expect((await errorOf(caller.call(async () => 1, signal))).code).toBe('resting');
    }
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      'a plugin fails again and again, and is left alone for a while',
    ]);
  });

  it('lets nobody wait behind the one question that tries whether it is back', async () => {
    const { caller, advance, wakeAll } = setUp();
    let tellBegun: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      tellBegun = resolve;
    });
    const begin = () => {
      tellBegun();
      return never();
    };
    for (let failure = 0; failure < 5; failure += 1) await errorOf(caller.call(fail, signal));
    advance(10_000);
    const probe = errorOf(caller.call(begin, signal));
    await begun;
    expect((await errorOf(caller.call(async () => 1, signal))).code).toBe('resting');
    wakeAll();
    expect((await probe).code).toBe('timeout');
  });

  it('takes an honest "can not tell" for an answer', async () => {
    const { caller } = setUp();
    const cannotTell = () => Promise.reject(new PluginError('error', 'down'));
    for (let time = 0; time < 10; time += 1) {
      expect((await errorOf(caller.call(cannotTell, signal))).code).toBe('error');
    }
  });

  it('gives up what runs and what waits when it is closed, and closes once', async () => {
    const { caller, closings } = setUp();
    const calls = [errorOf(caller.call(never, signal)), errorOf(caller.call(never, signal))];
    await caller.close();
    await caller.close();
    expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(['closed', 'closed']);
    expect((await errorOf(caller.call(never, signal))).code).toBe('closed');
    expect(closings()).toBe(1);
  });

  it('asks nothing for somebody who has left', async () => {
    const { caller } = setUp();
    let asked = 0;
    const call = caller.call(async () => (asked += 1), AbortSignal.abort(new Error('gone')));
    await expect(call).rejects.toThrow('gone');
    expect(asked).toBe(0);
  });
});
