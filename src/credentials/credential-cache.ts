import { LRUCache } from 'lru-cache';
import { type Clock, unlessAborted } from '../core/index.ts';
import type { Credential } from './provider.ts';

/** Fetches the credential for a registry; undefined where there is none. */
export type FetchCredential = (registry: string, signal: AbortSignal) => Promise<Credential | undefined>;

/** Keeps credentials until shortly before they end, and fetches each once however many ask for it. */
export interface CredentialCache {
  /** @throws what the fetch throws; the signal's reason when it is aborted */
  get(registry: string, signal: AbortSignal): Promise<Credential | undefined>;
  /**
   * Says that this credential may be good no more, wherever it is kept: the next question fetches a new one. Until there
   * is one it is still the answer, for whoever said so may have been wrong.
   */
  discard(credential: Credential): void;
  /** Gives up what is being fetched. */
  close(): void;
}

const MAXIMUM_REGISTRIES = 100;
/** A credential that does not end may have been changed, and a missing one may have been added. */
const KEPT_WITHOUT_END_MS = 5 * 60_000;
/** Where there is no new one, so long the old one serves before it is tried again. */
const RETRY_MS = 5_000;
/** A pull that has begun should be able to go on for a while. */
const LONGEST_MARGIN_MS = 60_000;
const MARGIN_SHARE = 0.2;

interface Entry {
  readonly credential: Credential | undefined;
  /** When a new one is due. */
  readonly dueAt: number;
  /** Until then it is better than none. */
  readonly usableUntil: number;
}

export function createCredentialCache(
  fetch: FetchCredential,
  { clock }: { readonly clock: Pick<Clock, 'now'> },
): CredentialCache {
  const entries = new LRUCache<string, Entry>({ max: MAXIMUM_REGISTRIES });
  const running = new Map<string, Promise<Credential | undefined>>();
  const closing = new AbortController();

  async function fetchAnew(registry: string): Promise<Credential | undefined> {
    try {
      const credential = await fetch(registry, closing.signal);
      const due = dueAt(credential, clock.now());
      entries.set(registry, { credential, dueAt: due, usableUntil: credential?.expiresAt ?? due });
      return credential;
    } catch (error) {
      const kept = entries.get(registry);
      if (!kept?.credential || kept.usableUntil <= clock.now()) throw error;
      entries.set(registry, { ...kept, dueAt: Math.min(clock.now() + RETRY_MS, kept.usableUntil) });
      return kept.credential;
    } finally {
      running.delete(registry);
    }
  }

  return {
    async get(registry, signal) {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      const kept = entries.get(registry);
      if (kept && kept.dueAt > clock.now()) return kept.credential;
      let fetching = running.get(registry);
      if (!fetching) {
        fetching = fetchAnew(registry);
        running.set(registry, fetching);
      }
      return unlessAborted(fetching, signal);
    },
    discard(credential) {
      for (const [registry, entry] of entries.entries()) {
        if (entry.credential === credential)
          entries.set(registry, { ...entry, dueAt: Number.NEGATIVE_INFINITY });
      }
    },
    close() {
      entries.clear();
      closing.abort(new Error('the provider is closed'));
    },
  };
}

function dueAt(credential: Credential | undefined, now: number): number {
  const expiresAt = credential?.expiresAt;
  if (expiresAt === undefined) return now + KEPT_WITHOUT_END_MS;
  return expiresAt - Math.min(LONGEST_MARGIN_MS, Math.max(0, expiresAt - now) * MARGIN_SHARE);
}
