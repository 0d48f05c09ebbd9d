import {
  type FileEntry,
  restoreEntry,
  type StoredEntry,
  sameContent,
  sameEntry,
  storeEntry,
} from '../host/index.ts';
import type { Strategy } from './options.ts';

/** A path that is changed. */
export interface Change {
  readonly path: string;
  /** Files of the service come first and go last. */
  readonly phase: 'service' | 'kubelet';
  readonly before: FileEntry;
  readonly after: FileEntry;
}

/** What is installed on this node, and how the node was before. */
export interface InstalledRecord {
  readonly version: 1;
  readonly strategy: Strategy;
  readonly kubeletUnit: string;
  readonly socket: string;
  readonly configFile: string;
  /** The program and what it is always called with. */
  readonly program: readonly string[];
  /** Programs that we have copied. */
  readonly copies: readonly string[];
  /** What the guard writes. */
  readonly guardFiles: readonly string[];
  /** Unit files in `/usr/lib` that a changed copy in `/etc` stands before: ours, then theirs. */
  readonly shadowed: Readonly<Record<string, string>>;
  /** Folders that were made for this record. */
  readonly folders: readonly string[];
  readonly changes: readonly Change[];
}

export type StoredChange = Omit<Change, 'before' | 'after'> & {
  readonly before: StoredEntry;
  readonly after: StoredEntry;
};
export type StoredRecord = Omit<InstalledRecord, 'changes'> & { readonly changes: readonly StoredChange[] };

export function storeChange(change: Change): StoredChange {
  return { ...change, before: storeEntry(change.before), after: storeEntry(change.after) };
}

export function restoreChange(change: StoredChange): Change {
  return { ...change, before: restoreEntry(change.before), after: restoreEntry(change.after) };
}

export function storeRecord(record: InstalledRecord): StoredRecord {
  return { ...record, changes: record.changes.map(storeChange) };
}

export function restoreRecord(record: StoredRecord): InstalledRecord {
  return { ...record, changes: record.changes.map(restoreChange) };
}

/**
 * How a path was before us, given what is there now: what the record says while our content stands, else what somebody
 * has put there since. Who owns and may read a file is as it is now where somebody has changed that.
 */
export function entryWithoutUs(
  path: string,
  current: FileEntry,
  record: InstalledRecord | undefined,
): FileEntry {
  const known = record?.changes.find((change) => change.path === path);
  if (!known) return current;
  const { before, after } = known;
  if (!sameContent(current, after)) return current;
  if (current.type !== 'file' || before.type !== 'file' || sameEntry(current, after)) return before;
  return { ...before, mode: current.mode, uid: current.uid, gid: current.gid };
}

/** What an earlier installation's guard has written, and no guard of the next one writes. */
export function formerGuardFiles(
  record: InstalledRecord | undefined,
  next: Pick<InstalledRecord, 'guardFiles'>,
): readonly string[] {
  return (record?.guardFiles ?? []).filter((path) => !next.guardFiles.includes(path));
}
