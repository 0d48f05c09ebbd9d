import { expect, it } from 'vitest';
import { createWindowedCount } from '../../src/state/index.ts';
import { createMemoryState } from '../support/memory-state.ts';

const WINDOW = { collection: 'mistakes', windowMs: 60_000 };
const clock = { now: () => 1_000_000, sleep: async () => undefined };

it('counts by key, in a window that begins with the first time', async () => {
  const counts = createWindowedCount(WINDOW, { state: createMemoryState(), clock });
  expect(await counts.get('a')).toBeUndefined();
  for (let time = 0; time < 3; time += 1) expect(await counts.add('a')).toBe(true);
  expect(await counts.get('a')).toEqual({ count: 3, endsAt: 1_060_000 });
  expect(await counts.get('b')).toBeUndefined();
  await counts.forget('a');
  expect(await counts.get('a')).toBeUndefined();
});

it('counts no further than a limit', async () => {
  const counts = createWindowedCount(WINDOW, { state: createMemoryState(), clock });
  const added = await Promise.all(Array.from({ length: 5 }, () => counts.add('a', 3)));
  expect(added).toEqual([true, true, true, false, false]);
  expect(await counts.get('a')).toMatchObject({ count: 3 });
});

it('counts all of many at once, also beside another process', async () => {
  const state = createMemoryState();
  const both = [createWindowedCount(WINDOW, { state, clock }), createWindowedCount(WINDOW, { state, clock })];
  await Promise.all(Array.from({ length: 100 }, (_, index) => both[index % 2]?.add('a')));
  expect(await both[0]?.get('a')).toMatchObject({ count: 100 });
});

it('goes on counting after the store has failed once', async () => {
  const state = createMemoryState();
  let fails = true;
  const flaky = {
    ...state,
    get: async (collection: string, key: string) => {
      if (fails) throw new Error('the store is down');
      return state.get(collection, key);
    },
  };
  const counts = createWindowedCount(WINDOW, { state: flaky, clock });
  await expect(counts.add('a')).rejects.toThrow('the store is down');
  fails = false;
  expect(await counts.add('a')).toBe(true);
});

it('takes a record that holds no count for none', async () => {
  const state = createMemoryState();
  await state.insert('mistakes', 'a', '{"count":3}', 1_060_000);
  const counts = createWindowedCount(WINDOW, { state, clock });
  expect(await counts.get('a')).toMatchObject({ count: 0 });
});
