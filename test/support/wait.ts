import { setTimeout as delay } from 'node:timers/promises';

const POLL_INTERVAL_MS = 25;

/**
 * Asks `probe` until it answers with something other than `undefined`.
 *
 * @param what names the condition in the error
 * @throws Error when `timeoutMs` have passed; its `cause` is what the last probe threw
 */
export async function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      const value = await probe();
      if (value !== undefined) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await delay(POLL_INTERVAL_MS);
  } while (performance.now() < deadline);
  throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`, { cause });
}
