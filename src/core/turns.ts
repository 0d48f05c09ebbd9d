/** Too many wait for their turn already. */
export class TooManyWaitError extends Error {
  constructor(what: string) {
    super(`too many ${what} wait already`);
    this.name = 'TooManyWaitError';
  }
}

export interface TurnsOptions {
  /** How many run at a time. */
  readonly concurrency: number;
  /** How many may wait beside those. */
  readonly queueLimit: number;
  /** What waits, for the error. */
  readonly what: string;
}

/** Lets a few run at a time; the others wait, first come, first served. */
export interface Turns {
  /** @throws {TooManyWaitError} at once where the queue is full; the signal's reason when it is aborted before its turn */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function createTurns({ concurrency, queueLimit, what }: TurnsOptions): Turns {
  const waiting = new Set<() => void>();
  let free = concurrency;

  function wait(signal: AbortSignal | undefined): Promise<void> {
    if (waiting.size >= queueLimit) throw new TooManyWaitError(what);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.delete(start);
        reject(signal?.reason);
      };
      const start = (): void => {
        waiting.delete(start);
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      waiting.add(start);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  return {
    async run(work, signal) {
      signal?.throwIfAborted();
      if (free > 0) free -= 1;
      else await wait(signal);
      try {
        return await work();
      } finally {
        const [next] = waiting;
        if (next) next();
        else free += 1;
      }
    },
  };
}
