import type { Clock } from '../../core/index.ts';
import type { ProxyOptions } from '../../proxy/index.ts';
import type { UpstreamOptions } from '../../proxy/upstream/index.ts';
import { createLogger, type Logger } from '../../telemetry/index.ts';
import { layoutCheck } from './layout-check.ts';
import { type Result, runChecks } from './run-checks.ts';
import { SERVER_CHECKS } from './server/index.ts';
import { UPSTREAM_CHECKS, Visit } from './upstream/index.ts';

/** What is to be looked at. */
export interface Diagnosis {
  readonly options: ProxyOptions;
  /** This one upstream, and nothing else. */
  readonly upstream: string | undefined;
  readonly clock: Clock;
}

export const SERVER = 'server';

/** Looks at everything, and says of each thing what it found. */
export async function* diagnose({ options, upstream, clock }: Diagnosis): AsyncGenerator<Result> {
  // Checks say themselves what went wrong; a log between their lines would be in the way.
  const log = createLogger('silent');
  if (upstream === undefined) yield* runChecks(SERVER, { options, clock }, SERVER_CHECKS);
  for (const [name, one] of Object.entries(options.upstreams)) {
    if (upstream === undefined || upstream === name) yield* diagnoseUpstream(name, one, clock, log);
  }
}

async function* diagnoseUpstream(
  name: string,
  { url, layout, ...options }: UpstreamOptions,
  clock: Clock,
  log: Logger,
): AsyncGenerator<Result> {
  if (layout !== undefined) yield* runChecks(name, layout.path, [layoutCheck]);
  if (url === undefined) return;
  const visit = new Visit(name, { url, ...options }, { clock, log });
  try {
    yield* runChecks(name, visit, UPSTREAM_CHECKS);
  } finally {
    await visit.close();
  }
}
