import type { Clock } from '../../../core/index.ts';
import { SetupError } from '../errors.ts';
import type { ApiClient } from './api-client.ts';

export interface LeaseOptions {
  readonly name: string;
  /** Who holds it: the name of the node. */
  readonly holder: string;
  /** A holder that was not heard of for as long is gone. */
  readonly durationMs: number;
}

/** Held while a node is changed, so that one bad change does not meet all nodes at once. */
export interface HeldLease {
  /** Aborted when somebody else has it, or nobody could be asked for too long. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

interface Spec {
  readonly holderIdentity?: string | undefined;
  readonly leaseDurationSeconds?: number | undefined;
  readonly renewTime?: string | undefined;
  readonly acquireTime?: string | undefined;
  readonly leaseTransitions?: number | undefined;
}

interface Lease {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly spec: Spec;
}

const API_VERSION = 'coordination.k8s.io/v1';
const POLL_SHARE = 1 / 5;
const RENEW_SHARE = 1 / 3;

/**
 * Waits until no other node holds the lease. The clocks of nodes differ, so a holder counts as gone when its lease has
 * not changed for its duration by our own clock.
 * @throws {SetupError} when the API server refuses, or the signal's reason
 * @see https://kubernetes.io/docs/concepts/architecture/leases/
 */
export async function acquireLease(
  options: LeaseOptions,
  client: ApiClient,
  clock: Clock,
  signal: AbortSignal,
  onWait: (holder: string) => void = () => undefined,
): Promise<HeldLease> {
  const store = createLeaseStore(client, options.name);
  let seen: { readonly version: unknown; readonly at: number } | undefined;
  for (;;) {
    signal.throwIfAborted();
    const lease = await store.read(signal);
    const version = lease?.metadata.resourceVersion;
    if (!seen || seen.version !== version) seen = { version, at: clock.now() };
    const holder = lease?.spec.holderIdentity;
    const heldMs = (lease?.spec.leaseDurationSeconds ?? 0) * 1000;
    const isFree = !holder || holder === options.holder || clock.now() - seen.at >= heldMs;
    if (isFree) {
      const held = await store.write(lease, takeSpec(lease, options, clock), signal);
      if (held) return holdLease(held, options, store, clock);
    } else {
      onWait(holder);
      await clock.sleep(options.durationMs * POLL_SHARE, signal);
    }
  }
}

function takeSpec(lease: Lease | undefined, { holder, durationMs }: LeaseOptions, clock: Clock): Spec {
  const now = microTime(clock.now());
  const isNew = lease?.spec.holderIdentity !== holder;
  return {
    holderIdentity: holder,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: isNew ? now : (lease?.spec.acquireTime ?? now),
    renewTime: now,
    leaseTransitions: (lease?.spec.leaseTransitions ?? 0) + (isNew ? 1 : 0),
  };
}

function holdLease(taken: Lease, options: LeaseOptions, store: LeaseStore, clock: Clock): HeldLease {
  const lost = new AbortController();
  const stop = new AbortController();
  const renewing = renew();

  async function renew(): Promise<Lease> {
    let lease = taken;
    let renewedAt = clock.now();
    while (!stop.signal.aborted) {
      await clock.sleep(options.durationMs * RENEW_SHARE, stop.signal).catch(() => undefined);
      if (stop.signal.aborted) break;
      try {
        const next = await store.write(
          lease,
          { ...lease.spec, renewTime: microTime(clock.now()) },
          stop.signal,
        );
        if (!next) {
          lost.abort(new SetupError('busy', 'another node has taken the lease over'));
          break;
        }
        lease = next;
        renewedAt = clock.now();
      } catch {
        if (stop.signal.aborted || clock.now() - renewedAt < options.durationMs) continue;
        lost.abort(new SetupError('failed', 'the API server could not be asked to renew the lease'));
        break;
      }
    }
    return lease;
  }

  return {
    lost: lost.signal,
    async release() {
      stop.abort();
      const lease = await renewing;
      if (lost.signal.aborted) return;
      // Should it fail, the lease runs out by itself.
      await store
        .write(lease, { ...lease.spec, holderIdentity: undefined }, AbortSignal.timeout(options.durationMs))
        .catch(() => undefined);
    },
  };
}

interface LeaseStore {
  read(signal: AbortSignal): Promise<Lease | undefined>;
  /** @returns undefined when somebody else was faster */
  write(lease: Lease | undefined, spec: Spec, signal: AbortSignal): Promise<Lease | undefined>;
}

function createLeaseStore(client: ApiClient, name: string): LeaseStore {
  const { namespace } = client;
  const folder = `/apis/${API_VERSION}/namespaces/${encodeURIComponent(namespace)}/leases`;
  const path = `${folder}/${encodeURIComponent(name)}`;
  return {
    async read(signal) {
      const { status, body } = await client.request('GET', path, signal);
      if (status === 404) return undefined;
      return leaseOf(status, body);
    },
    async write(lease, spec, signal) {
      const metadata = lease?.metadata ?? { name, namespace };
      const document = { apiVersion: API_VERSION, kind: 'Lease', metadata, spec };
      const { status, body } = lease
        ? await client.request('PUT', path, signal, document)
        : await client.request('POST', folder, signal, document);
      return status === 409 ? undefined : leaseOf(status, body);
    },
  };
}

function leaseOf(status: number, body: unknown): Lease {
  if (status === 403 || status === 401) {
    throw new SetupError(
      'refused',
      `the service account may not use leases (${status}): allow it get, create and update on leases, or give --no-lease`,
    );
  }
  const lease = body as Partial<Lease> | undefined;
  if (status >= 300 || !lease?.metadata || !lease.spec) {
    throw new SetupError('failed', `the API server answered ${status} to a request for a lease`);
  }
  return { metadata: lease.metadata, spec: lease.spec };
}

/** Kubernetes writes six digits behind the second. */
function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/Z$/, '000Z');
}
