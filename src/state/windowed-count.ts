import type { Clock } from '../core/index.ts';
import type { StateStore } from './store.ts';

/** How often something has happened, within windows that begin with its first time. Every call rejects when the store is down. */
export interface WindowedCount {
  /** @returns how often, and when the window ends (milliseconds since the epoch); undefined for never */
  get(key: string): Promise<{ readonly count: number; readonly endsAt: number } | undefined>;
  /**
   * Counts once more.
   * @param limit is not counted beyond
   * @returns whether it was counted; not, too, where other processes counted so often meanwhile that there was no turn
   */
  add(key: string, limit?: number): Promise<boolean>;
  /** Begins anew. */
  forget(key: string): Promise<void>;
}

/** Lost races against other processes, until one is not counted. */
const ATTEMPTS = 20;

export function createWindowedCount(
  { collection, windowMs }: { readonly collection: string; readonly windowMs: number },
  { state, clock }: { readonly state: StateStore; readonly clock: Clock },
): WindowedCount {
  const turns = new Map<string, Promise<void>>();

  /** Those of this process stand in line instead of racing each other: a race that is lost too often is not counted. */
  function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const mine = (turns.get(key) ?? Promise.resolve()).then(work);
    const over = mine
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        if (turns.get(key) === over) turns.delete(key);
      });
    turns.set(key, over);
    return mine;
  }

  async function addOnce(key: string, limit: number): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const record = await state.get(collection, key);
      const count = countOf(record?.value);
      if (count >= limit) return false;
      const value = String(count + 1);
      const done = record
        ? await state.replace(collection, key, value, record.expiresAt, record.version)
        : await state.insert(collection, key, value, clock.now() + windowMs);
      if (done) return true;
    }
    return false;
  }

  return {
    async get(key) {
      const record = await state.get(collection, key);
      return record && { count: countOf(record.value), endsAt: record.expiresAt };
    },
    add: (key, limit = Number.POSITIVE_INFINITY) => inTurn(key, () => addOnce(key, limit)),
    async forget(key) {
      await state.delete(collection, key);
    },
  };
}

function countOf(value: string | undefined): number {
  const count = Number(value ?? 0);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}
