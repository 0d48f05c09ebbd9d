import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/index.ts';
import type { FetchCredential } from './credential-cache.ts';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const MAXIMUM_REGISTRIES = 100;

interface Failure {
  readonly error: unknown;
  readonly until: number;
  readonly lengthMs: number;
}

/**
 * Spares a service that fails: after a failure it is not asked again for a while, which grows from one second to half a
 * minute, and whoever wants a credential meanwhile gets the same error.
 */
export function withFailurePause(
  fetch: FetchCredential,
  { clock }: { readonly clock: Pick<Clock, 'now'> },
): FetchCredential {
  const failures = new LRUCache<string, Failure>({ max: MAXIMUM_REGISTRIES });
  return async (registry, signal) => {
    const last = failures.get(registry);
    const left = last ? last.until - clock.now() : 0;
    // A clock that was set back must not make the pause longer.
    if (last && left > 0 && left <= last.lengthMs) throw last.error;
    try {
      const credential = await fetch(registry, signal);
      failures.delete(registry);
      return credential;
    } catch (error) {
      if (!signal.aborted) {
        const lengthMs = last ? Math.min(LONGEST_PAUSE_MS, last.lengthMs * 2) : FIRST_PAUSE_MS;
        failures.set(registry, { error, until: clock.now() + lengthMs, lengthMs });
      }
      throw error;
    }
  };
}
