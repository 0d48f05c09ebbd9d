import type { Clock } from '../core/index.ts';
import { PluginError } from './errors.ts';

/** One question on its way. The first call counts, later ones do nothing. */
export interface Passage {
  succeeded(): void;
  failed(): void;
  /** It was given up for reasons that say nothing of the plugin. */
  abandoned(): void;
}

/**
 * Spares a plugin that fails again and again, and those who would wait for it. After some failures in a row nothing
 * goes through for a while; then one question does, and its outcome decides.
 */
export interface Breaker {
  /** @throws {PluginError} `resting` when {@link pass} would */
  check(): void;
  /** @throws {PluginError} `resting` while nothing may go through */
  pass(): Passage;
}

export interface BreakerOptions {
  /** How many failures in a row open it. */
  readonly failures: number;
  /** How long it is open at first; each failure of the one question after that doubles it. */
  readonly firstRestMs: number;
  readonly longestRestMs: number;
}

export interface BreakerDependencies {
  readonly clock: Pick<Clock, 'now'>;
  readonly onOpen: (restMs: number) => void;
  readonly onClose: () => void;
}

export const defaultBreakerOptions: BreakerOptions = {
  failures: 5,
  firstRestMs: 10_000,
  longestRestMs: 60_000,
};

interface Rest {
  readonly since: number;
  readonly lengthMs: number;
  probing: boolean;
}

export function createBreaker(options: BreakerOptions, dependencies: BreakerDependencies): Breaker {
  const { clock, onOpen, onClose } = dependencies;
  let failuresInARow = 0;
  let rest: Rest | undefined;

  function open(lengthMs: number): void {
    failuresInARow = 0;
    rest = { since: clock.now(), lengthMs, probing: false };
    onOpen(lengthMs);
  }

  function check(): void {
    if (!rest) return;
    const rested = clock.now() - rest.since;
    // A clock that was set back must not make the rest longer.
    const over = rested < 0 || rested >= rest.lengthMs;
    if (!over || rest.probing) {
      throw new PluginError('resting', 'it failed too often and is left alone for a while');
    }
  }

  function ordinaryPassage(): Passage {
    return once({
      // Whatever began before it opened says nothing of how things are since.
      succeeded: () => {
        if (!rest) failuresInARow = 0;
      },
      failed: () => {
        if (rest) return;
        failuresInARow += 1;
        if (failuresInARow >= options.failures) open(options.firstRestMs);
      },
      abandoned: () => undefined,
    });
  }

  function probe(current: Rest): Passage {
    current.probing = true;
    return once({
      succeeded: () => {
        rest = undefined;
        onClose();
      },
      failed: () => open(Math.min(current.lengthMs * 2, options.longestRestMs)),
      abandoned: () => {
        current.probing = false;
      },
    });
  }

  return {
    check,
    pass() {
      check();
      return rest ? probe(rest) : ordinaryPassage();
    },
  };
}

function once(passage: Passage): Passage {
  let settled = false;
  const guard = (act: () => void) => () => {
    if (settled) return;
    settled = true;
    act();
  };
  return {
    succeeded: guard(passage.succeeded),
    failed: guard(passage.failed),
    abandoned: guard(passage.abandoned),
  };
}
