import type { Clock } from '../../../core/index.ts';
import { SetupError } from '../errors.ts';
import type { ApiClient } from './api-client.ts';

export interface LeaseOptions {
  readonly name: string;
  /** Who holds it: the name of the node. */
  readonly holder: string;
  /** A holder that was not heard of for as long is gone, and its node was undone by its host. */
  readonly durationMs: number;
  /** Identifies what is about to be done: it is not tried again where it has gone wrong. Undefined: it has to be done. */
  readonly change: string | undefined;
}

/** Held while a node is changed, so that one bad change does not meet all nodes. */
export interface HeldLease {
  /** Aborted when somebody else has it, or nobody could be asked for too long. */
  readonly lost: AbortSignal;
  release(end?: LeaseEnd): Promise<void>;
}

/** What has become of the node, where all is not well. */
export interface LeaseEnd {
  /** Why the change has gone wrong: from now on nobody tries it. */
  readonly failure?: string | undefined;
  /** The host has still to undo it: others wait until the lease runs out. */
  readonly isPending?: boolean;
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
/** Before the identity of a change that has gone wrong; the annotation says where, when and why. */
const FAILED_PREFIX = 'failed.drp-node-setup/';
const POLL_INTERVAL_MS = 10_000;
const RENEW_INTERVAL_MS = 20_000;
const RELEASE_TIMEOUT_MS = 60_000;
const RELEASE_INTERVAL_MS = 2_000;
const LONGEST_REASON = 1_000;

/**
 * Waits until no other node holds the lease. The clocks of nodes differ, so a holder counts as gone when its lease has
 * not changed for its duration by our own clock.
 * @throws {SetupError} when the change has gone wrong before, or the API server refuses; or the signal's reason
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
    requireUntried(lease, options, client.namespace);
    const version = lease?.metadata.resourceVersion;
    if (!seen || seen.version !== version) seen = { version, at: clock.now() };
    const holder = lease?.spec.holderIdentity;
    const heldMs = (lease?.spec.leaseDurationSeconds ?? 0) * 1000;
    const isFree = !holder || holder === options.holder || clock.now() - seen.at >= heldMs;
    if (isFree) {
      const spec = takeSpec(lease, options, clock);
      const held = lease ? await store.update({ ...lease, spec }, signal) : await store.create(spec, signal);
      if (held) return holdLease(held, options, store, clock);
    } else {
      onWait(holder);
      await clock.sleep(POLL_INTERVAL_MS, signal);
    }
  }
}

function requireUntried(lease: Lease | undefined, { name, change }: LeaseOptions, namespace: string): void {
  if (change === undefined) return;
  const failure = annotationsOf(lease)[`${FAILED_PREFIX}${change}`];
  if (failure === undefined) return;
  throw new SetupError(
    'refused',
    `this change has gone wrong, so no node tries it again: ${String(failure)}. Once the reason is gone, ` +
      `kubectl annotate lease ${name} --namespace ${namespace} ${FAILED_PREFIX}${change}-` +
      '; another version or configuration may be installed as ever',
  );
}

function annotationsOf(lease: Lease | undefined): Readonly<Record<string, unknown>> {
  return { ...(lease?.metadata.annotations as Readonly<Record<string, unknown>> | undefined) };
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
      await clock.sleep(RENEW_INTERVAL_MS, stop.signal).catch(() => undefined);
      if (stop.signal.aborted) break;
      try {
        const next = await updateHeld(lease, (held) => renewed(held, clock), stop.signal);
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

  /** An annotation may have been changed meanwhile. @returns undefined when we don't hold the lease any more */
  async function updateHeld(
    lease: Lease,
    change: (held: Lease) => Lease,
    signal: AbortSignal,
  ): Promise<Lease | undefined> {
    for (let held: Lease | undefined = lease; held; held = await store.read(signal)) {
      if (held.spec.holderIdentity !== options.holder) return undefined;
      const written = await store.update(change(held), signal);
      if (written) return written;
    }
    return undefined;
  }

  return {
    lost: lost.signal,
    async release(end = {}) {
      stop.abort();
      const lease = await renewing;
      if (lost.signal.aborted) return;
      const signal = AbortSignal.timeout(RELEASE_TIMEOUT_MS);
      // Should it fail for good, the lease runs out by itself.
      while (!signal.aborted) {
        try {
          await updateHeld(lease, (held) => released(held, end, options, clock), signal);
          return;
        } catch {
          await clock.sleep(RELEASE_INTERVAL_MS, signal).catch(() => undefined);
        }
      }
    },
  };
}

function renewed({ metadata, spec }: Lease, clock: Clock): Lease {
  return { metadata, spec: { ...spec, renewTime: microTime(clock.now()) } };
}

function released(
  { metadata, spec }: Lease,
  { failure, isPending = false }: LeaseEnd,
  { holder, change }: LeaseOptions,
  clock: Clock,
): Lease {
  const ended = isPending ? spec : { ...spec, holderIdentity: undefined };
  if (failure === undefined || change === undefined) return { metadata, spec: ended };
  const text = `${holder}, ${new Date(clock.now()).toISOString()}: ${failure.slice(0, LONGEST_REASON)}`;
  const annotations = { ...annotationsOf({ metadata, spec }), [`${FAILED_PREFIX}${change}`]: text };
  return { metadata: { ...metadata, annotations }, spec: ended };
}

interface LeaseStore {
  read(signal: AbortSignal): Promise<Lease | undefined>;
  /** @returns undefined when somebody else was faster; so does `update` */
  create(spec: Spec, signal: AbortSignal): Promise<Lease | undefined>;
  update(lease: Lease, signal: AbortSignal): Promise<Lease | undefined>;
}

function createLeaseStore(client: ApiClient, name: string): LeaseStore {
  const { namespace } = client;
  const folder = `/apis/${API_VERSION}/namespaces/${encodeURIComponent(namespace)}/leases`;
  const path = `${folder}/${encodeURIComponent(name)}`;
  async function write(method: 'POST' | 'PUT', to: string, lease: Lease, signal: AbortSignal) {
    const document = { apiVersion: API_VERSION, kind: 'Lease', ...lease };
    const { status, body } = await client.request(method, to, signal, document);
    return status === 409 ? undefined : leaseOf(status, body);
  }
  return {
    async read(signal) {
      const { status, body } = await client.request('GET', path, signal);
      if (status === 404) return undefined;
      return leaseOf(status, body);
    },
    create: (spec, signal) => write('POST', folder, { metadata: { name, namespace }, spec }, signal),
    update: (lease, signal) => write('PUT', path, lease, signal),
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
