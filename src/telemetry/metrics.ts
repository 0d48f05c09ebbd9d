import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Everything that `/metrics` shows. Label values come from fixed sets or the configuration, never from a client. */
export interface Metrics {
  readonly registry: Registry;
  /** `operation`, `status` of requests answered to clients. */
  readonly requests: Counter<'operation' | 'status'>;
  /** `operation`; seconds until the answer's header. */
  readonly requestSeconds: Histogram<'operation'>;
  readonly requestsRunning: Gauge;
  /** `upstream`; body bytes sent to clients. */
  readonly bytesSent: Counter<'upstream'>;
  /** `upstream`; body bytes of pushes. */
  readonly bytesReceived: Counter<'upstream'>;
  /** `verifier`, `outcome`: identity, refused, cannot-tell. */
  readonly logins: Counter<'verifier' | 'outcome'>;
  /** `outcome`: allowed, denied. */
  readonly decisions: Counter<'outcome'>;
  /** `upstream`, `status` (a status or `error`) of single requests to upstreams. */
  readonly upstreamRequests: Counter<'upstream' | 'status'>;
  /** `upstream`, `reason`: resume, retry, reauthenticate, last-known. */
  readonly upstreamRecoveries: Counter<'upstream' | 'reason'>;
  /** `upstream`, `credential` (its place in the pool, from 0); pulls in a window, as the registry says. */
  readonly upstreamRateLimit: Gauge<'upstream' | 'credential'>;
  /** `upstream`, `credential`; pulls that are left. */
  readonly upstreamRateLimitRemaining: Gauge<'upstream' | 'credential'>;
  /** `outcome`: applied, refused. */
  readonly reloads: Counter<'outcome'>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    requests: new Counter({
      name: 'drp_requests_total',
      help: 'Requests answered to clients.',
      labelNames: ['operation', 'status'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'drp_request_seconds',
      help: "Seconds until an answer's header was sent.",
      labelNames: ['operation'],
      buckets: SECONDS_BUCKETS,
      registers,
    }),
    requestsRunning: new Gauge({ name: 'drp_requests_running', help: 'Requests under way.', registers }),
    bytesSent: new Counter({
      name: 'drp_sent_bytes_total',
      help: 'Body bytes sent to clients.',
      labelNames: ['upstream'],
      registers,
    }),
    bytesReceived: new Counter({
      name: 'drp_received_bytes_total',
      help: 'Body bytes of pushes that clients sent.',
      labelNames: ['upstream'],
      registers,
    }),
    logins: new Counter({
      name: 'drp_logins_total',
      help: 'Credentials checked, by verifier and outcome.',
      labelNames: ['verifier', 'outcome'],
      registers,
    }),
    decisions: new Counter({
      name: 'drp_decisions_total',
      help: 'Policy decisions on requests.',
      labelNames: ['outcome'],
      registers,
    }),
    upstreamRequests: new Counter({
      name: 'drp_upstream_requests_total',
      help: 'Requests sent to upstreams.',
      labelNames: ['upstream', 'status'],
      registers,
    }),
    upstreamRecoveries: new Counter({
      name: 'drp_upstream_recoveries_total',
      help: 'Faults of upstreams that clients did not see.',
      labelNames: ['upstream', 'reason'],
      registers,
    }),
    upstreamRateLimit: new Gauge({
      name: 'drp_upstream_rate_limit',
      help: 'Pulls in a window that the registry allows, by credential.',
      labelNames: ['upstream', 'credential'],
      registers,
    }),
    upstreamRateLimitRemaining: new Gauge({
      name: 'drp_upstream_rate_limit_remaining',
      help: 'Pulls that are left, as the registry last said.',
      labelNames: ['upstream', 'credential'],
      registers,
    }),
    reloads: new Counter({
      name: 'drp_config_reloads_total',
      help: 'New versions of the configuration.',
      labelNames: ['outcome'],
      registers,
    }),
  };
}
