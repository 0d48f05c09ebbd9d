import type { Clock } from '../../../core/index.ts';
import type { ProxyOptions } from '../../../proxy/index.ts';

/** The proxy's own side. */
export interface Site {
  readonly options: ProxyOptions;
  readonly clock: Clock;
}
