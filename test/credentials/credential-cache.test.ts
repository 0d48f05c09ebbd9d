import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/index.ts';
import { createCredentialCache } from '../../src/credentials/credential-cache.ts';
import type { Credential } from '../../src/credentials/index.ts';

const MINUTE_MS = 60_000;
const { signal } = new AbortController();

function setUp(lifetimeMs?: number) {
  let now = 1_000_000;
  let failing = false;
  const fetched: string[] = [];
  const waiting: (() => void)[] = [];
  let held = false;
  const cache = createCredentialCache(
    async (registry, given) => {
      fetched.push(registry);
      if (held) {
        await new Promise<void>((resolve, reject) => {
          waiting.push(resolve);
          given.addEventListener('abort', () => reject(given.reason));
        });
      }
      if (failing) throw new Error('down');
      const credential: Credential = { username: String(fetched.length), password: new Secret('p') };
      return lifetimeMs === undefined ? credential : { ...credential, expiresAt: now + lifetimeMs };
    },
    { clock: { now: () => now } },
  );
  return {
    cache,
    fetched,
    get: async (registry = 'a.example', own = signal) => (await cache.get(registry, own))?.username,
    advance: (ms: number) => {
      now += ms;
    },
    fail: (value: boolean) => {
      failing = value;
    },
    hold: () => {
      held = true;
    },
    release: () => {
      held = false;
      for (const go of waiting) go();
    },
  };
}

describe('a credential', () => {
  it('is kept until a minute before it ends, for each registry', async () => {
    const { get, advance, fetched } = setUp(60 * MINUTE_MS);
    expect([await get(), await get(), await get('b.example'), await get()]).toEqual(['1', '1', '2', '1']);
    advance(59 * MINUTE_MS - 1);
    expect(await get()).toBe('1');
    advance(1);
    expect(await get()).toBe('3');
    expect(fetched).toEqual(['a.example', 'b.example', 'a.example']);
  });

  it('of a short life is kept for most of it', async () => {
    const { get, advance } = setUp(10_000);
    await get();
    advance(7999);
    expect(await get()).toBe('1');
    advance(1);
    expect(await get()).toBe('2');
  });

  it('that has ended already is not kept', async () => {
    const { get } = setUp(-1);
    expect([await get(), await get()]).toEqual(['1', '2']);
  });

  it('without an end is asked for again after five minutes', async () => {
    const { get, advance } = setUp();
    await get();
    advance(5 * MINUTE_MS - 1);
    expect(await get()).toBe('1');
    advance(1);
    expect(await get()).toBe('2');
  });

  it('that is due but has not ended serves while there is no new one', async () => {
    const { get, advance, fail } = setUp(60 * MINUTE_MS);
    await get();
    advance(59 * MINUTE_MS);
    fail(true);
    expect(await get()).toBe('1');
    advance(MINUTE_MS);
    await expect(get()).rejects.toThrow('down');
    fail(false);
    expect(await get()).toBe('4');
  });

  it('is fetched once for many, and one who leaves takes it from nobody', async () => {
    const { get, fetched, hold, release } = setUp();
    hold();
    const controller = new AbortController();
    const leaving = get('a.example', controller.signal);
    const staying = [get(), get()];
    controller.abort(new Error('gone'));
    await expect(leaving).rejects.toThrow('gone');
    release();
    expect(await Promise.all(staying)).toEqual(['1', '1']);
    expect(fetched).toHaveLength(1);
  });

  it('that could not be had is asked for again at once', async () => {
    const { get, fail } = setUp();
    fail(true);
    await expect(get()).rejects.toThrow('down');
    fail(false);
    expect(await get()).toBe('2');
  });

  it('that was turned away is fetched anew, and only that one', async () => {
    const { get, cache, fetched } = setUp(60 * MINUTE_MS);
    await get('b.example');
    const turnedAway = await cache.get('a.example', signal);
    if (!turnedAway) throw new Error('there should be one');
    cache.discard(turnedAway);
    expect([await get(), await get('b.example')]).toEqual(['3', '1']);
    cache.discard(turnedAway);
    expect(await get()).toBe('3');
    expect(fetched).toHaveLength(3);
  });

  it.each([60 * MINUTE_MS, undefined])(
    'that was turned away still serves while there is no new one (life: %s)',
    async (lifetimeMs) => {
      const { get, cache, fail, advance, fetched } = setUp(lifetimeMs);
      const turnedAway = await cache.get('a.example', signal);
      if (!turnedAway) throw new Error('there should be one');
      cache.discard(turnedAway);
      fail(true);
      expect([await get(), await get(), await get()]).toEqual(['1', '1', '1']);
      expect(fetched).toHaveLength(2);
      fail(false);
      advance(5000);
      expect(await get()).toBe('3');
      fail(true);
      advance(60 * MINUTE_MS);
      await expect(get()).rejects.toThrow('down');
    },
  );

  it('is not to be had once it is closed, nor while that happens', async () => {
    const { get, cache, hold } = setUp();
    await get('b.example');
    hold();
    const waiting = get();
    cache.close();
    await expect(waiting).rejects.toThrow('closed');
    await expect(get('b.example')).rejects.toThrow('closed');
    await expect(get('a.example', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });
});
