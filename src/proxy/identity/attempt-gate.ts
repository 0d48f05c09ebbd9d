import { type Clock, TooManyWaitError } from '../../core/index.ts';
import type { WindowedCount } from '../../state/index.ts';

/** An attempt that may be made. It has to be ended by one of these; {@link release} does nothing after another. */
export interface Admitted {
  readonly type: 'admitted';
  failed(): Promise<void>;
  /** It succeeded, or nobody could tell. */
  release(): void;
}

/** Too many have failed: the way opens again after this. */
export interface TurnedAway {
  readonly type: 'turned-away';
  readonly waitMs: number;
}

/**
 * Lets so many attempts of one kind fail within a window, also when they come at once: those under way may fail all, so they
 * count as if they had, and further ones wait for what becomes of them. Where none has failed and none does, nobody is turned away.
 */
export interface AttemptGate {
  /** @throws {TooManyWaitError}; the signal's reason; what the store says when it is down */
  enter(key: string, signal: AbortSignal): Promise<Admitted | TurnedAway>;
  /** Whether failures, in other processes too, have reached the limit. @returns how long that lasts, else 0 */
  waitMs(key: string): Promise<number>;
  /** Begins anew. */
  forget(key: string): Promise<void>;
}

/** The attempts of one key that have not ended. */
interface Line {
  /** How many look at this line. */
  users: number;
  underWay: number;
  /** Rises with each failure, so that a count that was read before is not believed. */
  version: number;
  /** Functions that wake who waits, the first one first. */
  readonly waiting: (() => void)[];
}

const WAITING_LIMIT = 256;

/** Attempts under way are known to one process; several over one store each let so many through. */
export function createAttemptGate(
  limit: number,
  { failures, clock }: { readonly failures: WindowedCount; readonly clock: Pick<Clock, 'now'> },
): AttemptGate {
  const lines = new Map<string, Line>();

  function join(key: string): Line {
    const line = lines.get(key) ?? { users: 0, underWay: 0, version: 0, waiting: [] };
    lines.set(key, line);
    line.users += 1;
    return line;
  }

  function leave(key: string, line: Line): void {
    line.users -= 1;
    if (line.users === 0) lines.delete(key);
  }

  const wakeNext = (line: Line): void => line.waiting.shift()?.();

  function wait(line: Line, wasFirst: boolean, signal: AbortSignal): Promise<void> {
    if (line.waiting.length >= WAITING_LIMIT) throw new TooManyWaitError('logins');
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        line.waiting.splice(line.waiting.indexOf(wake), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      if (wasFirst) line.waiting.unshift(wake);
      else line.waiting.push(wake);
    });
  }

  async function failuresOf(key: string, line: Line): Promise<{ count: number; endsAt: number }> {
    for (;;) {
      const { version } = line;
      const found = await failures.get(key);
      if (line.version === version) return found ?? { count: 0, endsAt: 0 };
    }
  }

  function admit(key: string, line: Line): Admitted {
    line.underWay += 1;
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      line.underWay -= 1;
      wakeNext(line);
      leave(key, line);
    };
    return {
      type: 'admitted',
      async failed() {
        try {
          if (!(await failures.add(key))) throw new Error('a failed login can not be counted');
          line.version += 1;
        } finally {
          end();
        }
      },
      release: end,
    };
  }

  async function waitMs(key: string): Promise<number> {
    const found = await failures.get(key);
    return found && found.count >= limit ? Math.max(0, found.endsAt - clock.now()) : 0;
  }

  return {
    async enter(key, signal) {
      const line = join(key);
      let admitted: Admitted | undefined;
      try {
        for (let wasFirst = false; ; wasFirst = true) {
          signal.throwIfAborted();
          const { count, endsAt } = await failuresOf(key, line);
          if (count >= limit) return { type: 'turned-away', waitMs: endsAt - clock.now() };
          if (count + line.underWay < limit) {
            admitted = admit(key, line);
            return admitted;
          }
          await wait(line, wasFirst, signal);
        }
      } finally {
        // Whoever was woken and goes, for whatever reason, lets the next one look.
        wakeNext(line);
        if (!admitted) leave(key, line);
      }
    },
    waitMs,
    async forget(key) {
      await failures.forget(key);
    },
  };
}
