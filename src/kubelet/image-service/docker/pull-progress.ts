import type { PullLine } from './answers.ts';

/** A registry that hangs sends nothing for so long. */
const STALLED_AFTER_MS = 60_000;
/** A large layer is unpacked, and its blocks written out, without a word for longer than that. */
const STALLED_WHILE_EXTRACTING_MS = 600_000;

/** Tells whether a pull still gets anywhere. */
export interface PullProgress {
  /** @returns whether the line says something new; the image store of containerd repeats itself while it waits */
  add(line: PullLine): boolean;
  /** How long a silence is no reason to give up. */
  patienceMs(): number;
}

export function createPullProgress(): PullProgress {
  const last = new Map<string, string>();
  const extracting = new Set<string>();
  return {
    add({ id = '', status = '', progressDetail }) {
      const state = `${status} ${progressDetail?.current ?? ''}`;
      if (last.get(id) === state) return false;
      last.set(id, state);
      if (status === 'Extracting') extracting.add(id);
      else extracting.delete(id);
      return true;
    },
    patienceMs: () => (extracting.size > 0 ? STALLED_WHILE_EXTRACTING_MS : STALLED_AFTER_MS),
  };
}
