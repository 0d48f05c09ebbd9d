import { expect, it } from 'vitest';
import { createTurns } from '../../src/core/index.ts';

const { signal } = new AbortController();

/** Work that goes on until it is told to end. */
function openWork() {
  let end: () => void = () => undefined;
  let begun = false;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    end: () => end(),
    begun: () => begun,
    work: () => {
      begun = true;
      return ended;
    },
  };
}

it('lets so many run at once, and the others in order', async () => {
  const turns = createTurns({ concurrency: 2, queueLimit: 10, what: 'questions' });
  const all = [1, 2, 3, 4].map(openWork);
  const running = all.map(({ work }) => turns.run(work, signal));
  const begun = () => all.map((one) => one.begun());
  expect(begun()).toEqual([true, true, false, false]);
  all[1]?.end();
  await running[1];
  expect(begun()).toEqual([true, true, true, false]);
  all[0]?.end();
  await running[0];
  expect(begun()).toEqual([true, true, true, true]);
  for (const one of all) one.end();
  await Promise.all(running);
  expect(await turns.run(async () => 'free again')).toBe('free again');
});

it('turns away who would have to wait behind too many', async () => {
  const turns = createTurns({ concurrency: 1, queueLimit: 1, what: 'questions' });
  const first = openWork();
  const running = turns.run(first.work, signal);
  const waiting = turns.run(async () => 'waited', signal);
  await expect(turns.run(async () => 'never')).rejects.toThrow('too many questions wait already');
  first.end();
  await running;
  expect(await waiting).toBe('waited');
});

it('gives the turn back when the work fails', async () => {
  const turns = createTurns({ concurrency: 1, queueLimit: 1, what: 'questions' });
  await expect(turns.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await turns.run(async () => 'next')).toBe('next');
});

it('passes over who has left', async () => {
  const turns = createTurns({ concurrency: 1, queueLimit: 1, what: 'questions' });
  const first = openWork();
  const running = turns.run(first.work, signal);
  const controller = new AbortController();
  const leaving = turns.run(async () => 'never', controller.signal);
  controller.abort(new Error('gone'));
  await expect(leaving).rejects.toThrow('gone');
  const next = turns.run(async () => 'next', signal);
  first.end();
  await running;
  expect(await next).toBe('next');
  await expect(turns.run(async () => 'never', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
});
