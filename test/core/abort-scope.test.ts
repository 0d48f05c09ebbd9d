import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createAbortScope } from '../../src/core/index.ts';

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('work in a scope', () => {
  it('is aborted by its own signal, alone', async () => {
    const scope = createAbortScope();
    const [first, second] = [new AbortController(), new AbortController()];
    const aborted = scope.run(first.signal, untilAborted);
    const other = scope.run(second.signal, async (signal) => {
      await expect(aborted).rejects.toThrow('own');
      return signal.aborted;
    });
    first.abort(new Error('own'));
    expect(await other).toBe(false);
  });

  it('is aborted with all the others, and does not begin afterwards', async () => {
    const scope = createAbortScope();
    const { signal } = new AbortController();
    const running = [1, 2].map(() => scope.run(signal, untilAborted));
    scope.abort(new Error('the end'));
    for (const work of running) await expect(work).rejects.toThrow('the end');
    await expect(scope.run(signal, async () => 'done')).rejects.toThrow('the end');
    await expect(createAbortScope().run(AbortSignal.abort(), async () => 'done')).rejects.toThrow(/abort/);
  });

  it('leaves nothing behind when it has ended', async () => {
    const scope = createAbortScope();
    const { signal } = new AbortController();
    let kept: AbortSignal | undefined;
    await scope.run(signal, async (own) => {
      kept = own;
    });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    scope.abort(new Error('the end'));
    expect(kept?.aborted).toBe(false);
  });
});
