import type { Clock } from '../core/index.ts';
import type { Telemetry } from '../telemetry/index.ts';

/** What the proxy needs from outside. */
export interface ProxyDependencies {
  readonly clock: Clock;
  /** From 0 to below 1, for jitter only. */
  readonly random: () => number;
  readonly telemetry: Telemetry;
}
