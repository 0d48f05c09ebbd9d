/** Too many wait for their turn already. */
export class TooManyWaitError extends Error {
  constructor() {
    super('too many logins wait already');
    this.name = 'TooManyWaitError';
  }
}

/** Lets a few run at a time; the others wait, first come, first served. */
export interface Turns {
  /** @throws {TooManyWaitError} at once where the queue is full; the signal's reason when it is aborted meanwhile */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createTurns(concurrency: number, queueLimit: number): Turns {
  const waiting = new Set<() => void>();
  let free = concurrency;

  async function wait(signal: AbortSignal): Promise<void> {
    if (waiting.size >= queueLimit) throw new TooManyWaitError();
    await new Promise<void>((resolve, reject) => {
      const giveUp = () => {
        waiting.delete(start);
        reject(signal.reason);
      };
      const start = () => {
        waiting.delete(start);
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      waiting.add(start);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  return {
    async run(work, signal) {
      signal.throwIfAborted();
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
