import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300];

/** What `/metrics` of the image service shows. Label values come from fixed sets, never from a client. */
export interface ImageServiceMetrics {
  readonly registry: Registry;
  /** `backend`, `method` (`other` for what is only passed through), `code` of gRPC. */
  readonly calls: Counter<'backend' | 'method' | 'code'>;
  readonly callSeconds: Histogram<'backend' | 'method'>;
  readonly callsRunning: Gauge;
  /** `source` (kubelet, provider, none), `outcome` (pulled, turned-away, failed). */
  readonly pullAttempts: Counter<'backend' | 'source' | 'outcome'>;
  /** `from`, `to` (as `source`), `reason` (turned-away, no-credential). */
  readonly pullFallbacks: Counter<'backend' | 'from' | 'to' | 'reason'>;
  /** `provider` (its type; in a pool its place, such as `pool[0]`), `reason` (timeout, error). */
  readonly providerFailures: Counter<'backend' | 'provider' | 'reason'>;
  /** `provider` (as above), `answer` (kept, new, none). */
  readonly providerAnswers: Counter<'backend' | 'provider' | 'answer'>;
  readonly refreshes: Counter<'backend' | 'provider'>;
  /** `method`, `reason` (away, slow). */
  readonly staleAnswers: Counter<'backend' | 'method' | 'reason'>;
  /** `outcome`: applied, refused. */
  readonly reloads: Counter<'outcome'>;
}

export function createImageServiceMetrics(): ImageServiceMetrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `drp_image_service_${name}`, help, labelNames, registers });
  return {
    registry,
    calls: counter('calls_total', 'Calls answered to clients.', ['backend', 'method', 'code']),
    callSeconds: new Histogram({
      name: 'drp_image_service_call_seconds',
      help: 'Seconds until a call was answered.',
      labelNames: ['backend', 'method'],
      buckets: SECONDS_BUCKETS,
      registers,
    }),
    callsRunning: new Gauge({
      name: 'drp_image_service_calls_running',
      help: 'Calls under way.',
      registers,
    }),
    pullAttempts: counter('pull_attempts_total', 'Attempts at pulls, by whose credential was shown.', [
      'backend',
      'source',
      'outcome',
    ]),
    pullFallbacks: counter('pull_fallbacks_total', "Pulls that went on with somebody else's credential.", [
      'backend',
      'from',
      'to',
      'reason',
    ]),
    providerFailures: counter('provider_failures_total', 'Providers that gave no credential.', [
      'backend',
      'provider',
      'reason',
    ]),
    providerAnswers: counter(
      'provider_answers_total',
      'What providers said: a credential that they had kept, a new one, or none.',
      ['backend', 'provider', 'answer'],
    ),
    refreshes: counter('credential_refreshes_total', 'Credentials made anew after one was turned away.', [
      'backend',
      'provider',
    ]),
    staleAnswers: counter('stale_answers_total', 'Answers of before, given while the runtime was away.', [
      'backend',
      'method',
      'reason',
    ]),
    reloads: counter('config_reloads_total', 'New versions of the configuration.', ['outcome']),
  };
}

/** Adds what there is to know of the process itself. Once in a process: what is watched for it is never given up. */
export function collectProcessMetrics({ registry }: ImageServiceMetrics): void {
  collectDefaultMetrics({ register: registry });
}
