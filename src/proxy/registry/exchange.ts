import type { Logger, Telemetry } from '../../telemetry/index.ts';
import { ANONYMOUS, type Identity } from '../identity/index.ts';
import type { Resource } from './operation.ts';

/** What a request is about, as metrics name it. */
export type Operation = Resource['kind'] | 'token' | 'keys' | 'web' | 'other';

/**
 * What one request came to, noted down while it runs and told once at its end: a line in the audit log where
 * something was decided, and the metrics. Labels come from fixed sets, never from the client.
 */
export class Exchange {
  operation: Operation = 'other';
  /** The host that the client asked; empty until it has been read. */
  host = '';
  namespace: string | undefined;
  upstream: string | undefined;
  /** Body bytes that went to the client. */
  bytes = 0;
  /** Body bytes that came from the client and were read. */
  received = 0;
  /** What became known of it only after the decision. */
  pushed: PushedDetails = {};
  status = 0;
  readonly #startedAt = performance.now();
  #decision: Decided | undefined;

  constructor(
    readonly id: string,
    readonly client: string,
    readonly telemetry: Telemetry,
  ) {
    telemetry.metrics.requestsRunning.inc();
  }

  get log(): Logger {
    return this.telemetry.log;
  }

  decided(decision: Decided): void {
    this.#decision = decision;
  }

  headerSent(status: number): void {
    this.status = status;
    this.telemetry.metrics.requestSeconds.observe(
      { operation: this.operation },
      (performance.now() - this.#startedAt) / 1000,
    );
  }

  /** Called once, when nothing more can be sent. */
  end(complete: boolean): void {
    const { metrics, audit } = this.telemetry;
    metrics.requestsRunning.dec();
    metrics.requests.inc({ operation: this.operation, status: String(this.status) });
    if (this.upstream !== undefined) {
      metrics.bytesSent.inc({ upstream: this.upstream }, this.bytes);
      if (this.received > 0) metrics.bytesReceived.inc({ upstream: this.upstream }, this.received);
    }
    if (!this.#decision) return;
    const { identity, ...decision } = this.#decision;
    if (decision.action !== 'login')
      metrics.decisions.inc({ outcome: decision.outcome === 'allowed' ? 'allowed' : 'denied' });
    audit.write({
      requestId: this.id,
      client: this.client,
      verifier: identity?.verifier ?? ANONYMOUS,
      name: identity?.name ?? '',
      host: this.host,
      ...(this.namespace !== undefined && { namespace: this.namespace }),
      ...decision,
      ...this.pushed,
      ...(this.upstream !== undefined && { upstream: this.upstream }),
      status: this.status,
      bytes: this.bytes,
      ...(this.received > 0 && { received: this.received }),
      complete,
    });
  }
}

export interface PushedDetails {
  /** Of the blob that an upload came to. */
  readonly reference?: string;
  /** The repository that a blob was taken over from. */
  readonly mountedFrom?: string;
}

/** One decision, as far as it is known when it falls. */
export interface Decided {
  readonly action: string;
  readonly outcome: 'allowed' | 'denied' | 'refused' | 'cannot-tell' | 'limited';
  readonly identity?: Pick<Identity, 'verifier' | 'name'> | undefined;
  readonly repository?: string;
  readonly reference?: string;
  readonly rule?: string | undefined;
  readonly reason?: string;
}
