import type { Clock } from '../../core/index.ts';
import { createCredentialProvider } from '../../credentials/index.ts';
import type { Logger, Metrics } from '../../telemetry/index.ts';
import { createLayoutUpstream } from './layout/index.ts';
import type { UpstreamOptions } from './options.ts';
import { createRegistryUpstream } from './remote/index.ts';
import type { Upstream } from './upstream.ts';

export interface UpstreamDependencies {
  readonly clock: Clock;
  /** From 0 to below 1, for jitter only. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/**
 * Makes what an entry of `upstreams:` describes.
 * @param name its key
 * @throws {CredentialOptionsError} when a file of its credentials does not hold what it should
 */
export function createUpstream(
  name: string,
  { url, layout, credentials, ...options }: UpstreamOptions,
  dependencies: UpstreamDependencies,
): Upstream {
  if (layout !== undefined) return createLayoutUpstream(name, layout.path, dependencies);
  if (url === undefined) throw new TypeError(`the upstream ${name} has neither url nor layout`);
  const provider = createCredentialProvider(credentials, dependencies);
  return createRegistryUpstream(name, { url, ...options }, { ...dependencies, credentials: provider });
}
