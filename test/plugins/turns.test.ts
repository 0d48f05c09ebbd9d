import { expect, it } from 'vitest';
import { createTurns } from '../../src/plugins/turns.ts';

const { signal } = new AbortController();

it('gives so many turns at once, and the others in order', async () => {
  const turns = createTurns(2, 10);
  const order: number[] = [];
  const all = [1, 2, 3, 4].map((number) => turns.take(signal).then(() => order.push(number)));
  await Promise.all(all.slice(0, 2));
  expect(order).toEqual([1, 2]);
  turns.give();
  await all[2];
  expect(order).toEqual([1, 2, 3]);
  turns.give();
  await all[3];
  turns.give();
  turns.give();
  await turns.take(signal);
  await turns.take(signal);
});

it('turns away who would have to wait behind too many', async () => {
  const turns = createTurns(1, 1);
  await turns.take(signal);
  const waiting = turns.take(signal);
  await expect(turns.take(signal)).rejects.toMatchObject({ code: 'busy' });
  turns.give();
  await waiting;
});

it('passes over who has left', async () => {
  const turns = createTurns(1, 1);
  await turns.take(signal);
  const controller = new AbortController();
  const leaving = turns.take(controller.signal);
  controller.abort(new Error('gone'));
  await expect(leaving).rejects.toThrow('gone');
  const next = turns.take(signal);
  turns.give();
  await next;
  await expect(turns.take(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
});
