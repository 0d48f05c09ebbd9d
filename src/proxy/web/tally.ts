import type { Clock } from '../../core/index.ts';
import type { StateStore } from '../../state/index.ts';

/** Counts what may happen a few times within a window that begins with the first time. */
export interface Tally {
  /** Counts once more. @returns whether that was within the limit */
  count(key: string): Promise<boolean>;
  /** Whether {@link count} would still be within the limit. */
  isOpen(key: string): Promise<boolean>;
}

const ATTEMPTS = 5;

export function createTally(
  options: { readonly collection: string; readonly limit: number; readonly windowMs: number },
  { state, clock }: { readonly state: StateStore; readonly clock: Clock },
): Tally {
  const { collection, limit, windowMs } = options;
  return {
    async count(key) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const record = await state.get(collection, key);
        const count = Number(record?.value ?? 0);
        if (count >= limit) return false;
        const value = String(count + 1);
        const done = record
          ? await state.replace(collection, key, value, record.expiresAt, record.version)
          : await state.insert(collection, key, value, clock.now() + windowMs);
        if (done) return true;
      }
      return false;
    },
    isOpen: async (key) => Number((await state.get(collection, key))?.value ?? 0) < limit,
  };
}
