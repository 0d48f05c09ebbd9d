/**
 * Waits for work that others may wait for, too: who leaves does not take it along.
 * @throws what the work throws; the signal's reason when it is aborted first
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    // Of its own: many calls may share a signal, and Node warns of more than ten listeners.
    const own = AbortSignal.any([signal]);
    const abort = (): void => reject(own.reason);
    const leave = (): void => own.removeEventListener('abort', abort);
    own.addEventListener('abort', abort, { once: true });
    if (own.aborted) abort();
    work.then(
      (value) => {
        leave();
        resolve(value);
      },
      (error: unknown) => {
        leave();
        reject(error);
      },
    );
  });
}
