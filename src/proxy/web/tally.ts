import type { Clock } from '../../core/index.ts';
import { createWindowedCount, type StateStore } from '../../state/index.ts';

/** Counts what may happen a few times within a window that begins with the first time. */
export interface Tally {
  /** Counts once more. @returns whether that was within the limit */
  count(key: string): Promise<boolean>;
  /** Whether {@link count} would still be within the limit. */
  isOpen(key: string): Promise<boolean>;
}

export function createTally(
  options: { readonly collection: string; readonly limit: number; readonly windowMs: number },
  dependencies: { readonly state: StateStore; readonly clock: Clock },
): Tally {
  const counts = createWindowedCount(options, dependencies);
  return {
    count: (key) => counts.add(key, options.limit),
    isOpen: async (key) => ((await counts.get(key))?.count ?? 0) < options.limit,
  };
}
