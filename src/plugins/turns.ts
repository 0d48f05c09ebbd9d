import { PluginError } from './errors.ts';

/** So many at once, and so many more may wait. */
export interface Turns {
  /**
   * Waits for a turn. Whoever got one gives it back by {@link give}.
   * @throws {PluginError} `busy` when too many wait already; the signal's reason when it is aborted first
   */
  take(signal: AbortSignal): Promise<void>;
  give(): void;
}

export function createTurns(concurrency: number, queueLimit: number): Turns {
  const waiting = new Set<() => void>();
  let free = concurrency;

  function wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        waiting.delete(begin);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting.add(begin);
    });
  }

  return {
    async take(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return;
      }
      if (waiting.size >= queueLimit) throw new PluginError('busy', 'too many questions wait for it already');
      await wait(signal);
    },
    give() {
      const [next] = waiting;
      if (!next) {
        free += 1;
        return;
      }
      waiting.delete(next);
      next();
    },
  };
}
