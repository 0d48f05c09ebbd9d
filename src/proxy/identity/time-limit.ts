import type { Clock } from '../../core/index.ts';

/**
 * Gives work a signal that is aborted after `milliseconds`, and with `parent`.
 * @throws what the work throws; it has to heed its signal
 */
export async function withinTime<T>(
  milliseconds: number,
  clock: Clock,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const tooSlow = new AbortController();
  clock.sleep(milliseconds, done.signal).then(
    () => tooSlow.abort(new Error(`no answer within ${milliseconds / 1000} s`)),
    () => undefined,
  );
  try {
    return await work(AbortSignal.any([parent, tooSlow.signal]));
  } finally {
    done.abort();
  }
}
