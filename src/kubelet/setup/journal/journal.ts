import { dirname, join } from 'node:path/posix';
import { SetupError } from '../errors.ts';
import { ABSENT, type FileEntry, type HostFiles, rootFile, rootFolder, sameEntry } from '../host/index.ts';
import {
  type Change,
  type InstalledRecord,
  restoreChange,
  restoreRecord,
  type StoredChange,
  type StoredRecord,
  storeChange,
  storeRecord,
} from '../plan/index.ts';

/** What was begun, written down before anything is changed. */
export interface JournalEntry {
  readonly id: string;
  /** An installation is undone unless it is committed; an uninstallation is always brought to its end. */
  readonly kind: 'install' | 'uninstall';
  readonly kubeletUnit: string;
  /** Kubelet's process when it was begun. */
  readonly mainPid: number;
  /** Whether it has to be restarted for an uninstallation. */
  readonly restartKubelet: boolean;
  readonly changes: readonly Change[];
  /** Programs that are copied. */
  readonly copies: readonly string[];
  /** What the guard writes, once kubelet is started with it. */
  readonly guardFiles: readonly string[];
  /** What is installed when it is committed; undefined after an uninstallation. */
  readonly next: InstalledRecord | undefined;
  /** What was installed before. */
  readonly previous: InstalledRecord | undefined;
  /** Folders that were made for the journal itself. */
  readonly folders: readonly string[];
}

/** What has become of what was begun. */
export type Decision = 'commit' | 'undo';

/**
 * The record and the journal of one node. Each step is on disk before the next one begins, so that whoever comes after
 * a crash knows what to do.
 */
export interface Journal {
  installed(): Promise<InstalledRecord | undefined>;
  pending(): Promise<JournalEntry | undefined>;
  begin(entry: Omit<JournalEntry, 'folders'>): Promise<JournalEntry>;
  /** Kubelet is restarted now: whoever undoes it has to restart it again. */
  markRestart(id: string): Promise<void>;
  restartWasMarked(id: string): Promise<boolean>;
  /** Whether it is still begun, and nothing was decided about it. */
  isOpen(id: string): Promise<boolean>;
  /**
   * Decides for one of two, once: only the first who asks is obeyed. To undo needs no room on the disk: what nobody has
   * committed is undone, whether or not that can be written down.
   * @returns what was decided
   */
  decide(id: string, decision: Decision): Promise<Decision>;
  decision(id: string): Promise<Decision | undefined>;
  /** Writes the record down, if it is another one, and forgets the journal; may be repeated. */
  finish(entry: JournalEntry, installed: InstalledRecord | undefined): Promise<void>;
  /** Removes what a run that was killed before its journal was whole, or after it was gone, has left. */
  sweep(): Promise<void>;
}

const VERSION = 1;

interface StoredEntryV1 extends Omit<JournalEntry, 'changes' | 'next' | 'previous'> {
  readonly version: typeof VERSION;
  readonly changes: readonly StoredChange[];
  readonly next?: StoredRecord;
  readonly previous?: StoredRecord;
}

export function createJournal(folder: string, files: HostFiles): Journal {
  const recordFile = join(folder, 'installed.json');
  const journalFile = join(folder, 'journal.json');
  const decisionFile = (id: string): string => join(folder, `decision-${id}`);
  const restartFile = (id: string): string => join(folder, `restart-${id}`);

  async function read<T extends { readonly version: number }>(path: string): Promise<T | undefined> {
    const text = await files.readText(path);
    if (text === undefined) return undefined;
    let value: T | undefined;
    try {
      value = JSON.parse(text) as T;
    } catch (cause) {
      throw new SetupError('refused', `${path} is damaged: put it back from a backup, or undo by hand`, {
        cause,
      });
    }
    if (value?.version !== VERSION) {
      throw new SetupError('refused', `${path} was written by another version of drp: use that one`);
    }
    return value;
  }

  async function missingFolders(): Promise<string[]> {
    const missing: string[] = [];
    for (let path = folder; path !== '/' && !(await files.exists(path)); path = dirname(path))
      missing.unshift(path);
    return missing;
  }

  async function removeLeftovers(): Promise<void> {
    const ours = /^(?:decision|restart)-|^\..*\.drp-new/;
    for (const name of await files.list(folder)) {
      if (ours.test(name)) await files.put(join(folder, name), ABSENT);
    }
  }

  async function decision(id: string): Promise<Decision | undefined> {
    const text = await files.readText(decisionFile(id));
    return text === 'commit' || text === 'undo' ? text : undefined;
  }

  return {
    async installed() {
      const stored = await read<StoredRecord>(recordFile);
      return stored && restoreRecord(stored);
    },
    async pending() {
      const stored = await read<StoredEntryV1>(journalFile);
      if (!stored) return undefined;
      const { next, previous, changes, version: _, ...rest } = stored;
      return {
        ...rest,
        changes: changes.map(restoreChange),
        next: next && restoreRecord(next),
        previous: previous && restoreRecord(previous),
      };
    },
    async begin(entry) {
      const missing = await missingFolders();
      // Folders that an earlier run has made go with the last of us.
      const folders = [...new Set([...missing, ...(entry.previous?.folders ?? [])])];
      const stored: StoredEntryV1 = {
        version: VERSION,
        ...entry,
        folders,
        changes: entry.changes.map(storeChange),
        ...(entry.next && { next: storeRecord({ ...entry.next, folders }) }),
        ...(entry.previous && { previous: storeRecord(entry.previous) }),
      } as StoredEntryV1;
      for (const path of missing) await files.put(path, rootFolder(path === folder ? 0o700 : 0o755));
      await files.put(journalFile, privateFile(JSON.stringify(stored)));
      return { ...entry, folders, next: entry.next && { ...entry.next, folders } };
    },
    markRestart: (id) => files.put(restartFile(id), privateFile('')),
    restartWasMarked: (id) => files.exists(restartFile(id)),
    decision,
    isOpen: async (id) =>
      (await read<StoredEntryV1>(journalFile))?.id === id && (await decision(id)) === undefined,
    async decide(id, wanted) {
      try {
        if (await files.create(decisionFile(id), wanted)) return wanted;
      } catch (error) {
        if (wanted === 'commit') throw error;
        return (await decision(id)) ?? wanted;
      }
      const made = await decision(id);
      if (made === undefined) throw new SetupError('failed', `${decisionFile(id)} can't be read`);
      return made;
    },
    async finish(entry, installed) {
      const record = installed ? privateFile(JSON.stringify(storeRecord(installed))) : ABSENT;
      if (!sameEntry(await files.snapshot(recordFile), record)) await files.put(recordFile, record);
      await files.put(journalFile, ABSENT);
      await files.put(restartFile(entry.id), ABSENT);
      await files.put(decisionFile(entry.id), ABSENT);
      await removeLeftovers();
      if (installed) return;
      for (const path of [...entry.folders].reverse()) await files.put(path, ABSENT);
    },
    async sweep() {
      if (await files.exists(journalFile)) return;
      await removeLeftovers();
      if (await files.exists(recordFile)) return;
      for (const path of [folder, dirname(folder)]) await files.put(path, ABSENT);
    },
  };
}

function privateFile(text: string): FileEntry {
  return rootFile(text, 0o600);
}
