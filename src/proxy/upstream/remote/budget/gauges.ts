import type { Logger, Metrics } from '../../../../telemetry/index.ts';
import type { RateLimit } from './rate-limit.ts';

export interface RateLimitGauges {
  /** @param credential its place in the pool, from 0 */
  show(credential: number, limit: RateLimit): void;
  close(): void;
}

/** Shows operators what is left, and tells them once when it falls below the floor. */
export function createRateLimitGauges(
  upstream: string,
  floor: number,
  { metrics, log }: { readonly metrics: Metrics; readonly log: Logger },
): RateLimitGauges {
  const { upstreamRateLimit, upstreamRateLimitRemaining } = metrics;
  const low = new Map<number, boolean>();
  return {
    show(credential, { limit, remaining }) {
      const labels = { upstream, credential: String(credential) };
      if (limit !== undefined) upstreamRateLimit.set(labels, limit);
      upstreamRateLimitRemaining.set(labels, remaining);
      const isLow = remaining < floor;
      if (isLow && !low.get(credential)) {
        log.warn({ credential, remaining, limit }, 'the rate limit is nearly used up');
      }
      low.set(credential, isLow);
    },
    close() {
      for (const credential of low.keys()) {
        upstreamRateLimit.remove({ upstream, credential: String(credential) });
        upstreamRateLimitRemaining.remove({ upstream, credential: String(credential) });
      }
    },
  };
}
