import type { Clock } from '../../../core/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { withinTime } from '../time-limit.ts';
import type { KeySet } from './key-set.ts';
import type { KeySource } from './key-source.ts';

export interface CachedKeySetOptions {
  /** How long keys are used after they were fetched while the issuer can't be asked again. */
  readonly keepMs: number;
}

export interface CachedKeySetDependencies {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  load(signal: AbortSignal): Promise<KeySet>;
}

/** Keys that are older are fetched again before they are used, so that a withdrawn one ends. */
const REFRESH_AFTER_MS = 10 * 60_000;
/** Between two fetches while there are keys, whatever ids are asked for. */
const INTERVAL_MS = 30_000;
/** The same while there are none. */
const INTERVAL_WITHOUT_KEYS_MS = 5_000;
const TIME_LIMIT_MS = 8_000;

/**
 * Keys that are fetched when they are needed: one fetch at a time for all who wait, none that an unknown id could
 * cause more often than every 30 seconds, and the last good ones while the issuer is down.
 */
export function createCachedKeySet(
  options: CachedKeySetOptions,
  { clock, log, load }: CachedKeySetDependencies,
): KeySource {
  const closed = new AbortController();
  let loaded: { readonly keys: KeySet; readonly at: number } | undefined;
  let attemptedAt: number | undefined;
  let failure: { readonly cause: unknown } | undefined;
  let running: Promise<void> | undefined;

  // A clock that was set back makes every age unknown, and what is of unknown age is old.
  const ageOf = (time: number): number => {
    const age = clock.now() - time;
    return age < 0 ? Number.POSITIVE_INFINITY : age;
  };

  function usable(): KeySet | undefined {
    return loaded && ageOf(loaded.at) <= Math.max(options.keepMs, REFRESH_AFTER_MS) ? loaded.keys : undefined;
  }

  /** Never rejects. */
  async function fetchNow(): Promise<void> {
    attemptedAt = clock.now();
    try {
      loaded = { keys: await withinTime(TIME_LIMIT_MS, clock, closed.signal, load), at: clock.now() };
      failure = undefined;
    } catch (cause) {
      failure = { cause };
      if (!closed.signal.aborted) log.warn({ err: cause }, 'the key set could not be fetched');
    } finally {
      running = undefined;
    }
  }

  async function refresh(): Promise<void> {
    const interval = usable() ? INTERVAL_MS : INTERVAL_WITHOUT_KEYS_MS;
    if (!running && attemptedAt !== undefined && ageOf(attemptedAt) < interval) return;
    running ??= fetchNow();
    await running;
  }

  return {
    async find(id) {
      if (!loaded || ageOf(loaded.at) > REFRESH_AFTER_MS) {
        const refreshed = refresh();
        // An issuer that failed the last time may take long to fail again: who has a key does not wait for it.
        if (!(failure && usable()?.find(id))) await refreshed;
      } else if (!loaded.keys.find(id)) {
        await refresh();
      }
      const keys = usable();
      const key = keys?.find(id);
      if (key) return { type: 'key', key };
      return keys && !failure ? { type: 'unknown' } : { type: 'unavailable', cause: failure?.cause };
    },
    async close() {
      closed.abort(new Error('the verifier is closed'));
      await running;
    },
  };
}
