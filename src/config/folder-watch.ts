import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { ANY_NAME, watchedFolders } from './watched-folders.ts';

/** Tells that something may have changed behind some paths. */
export interface FolderWatch {
  /** Watches these paths from now on. */
  target(paths: readonly string[]): Promise<void>;
  close(): void;
}

interface Watched {
  readonly watcher: FSWatcher;
  /** Which folder it was; another may have its name later. */
  readonly identity: string;
  names: ReadonlySet<string>;
}

/** Folders that can't be watched are left out: whoever needs certainty looks again from time to time. */
export function createFolderWatch(onEvent: () => void): FolderWatch {
  const watched = new Map<string, Watched>();
  let closed = false;

  function drop(folder: string): void {
    watched.get(folder)?.watcher.close();
    watched.delete(folder);
  }

  async function add(folder: string, names: ReadonlySet<string>): Promise<void> {
    const identity = await identityOf(folder);
    const present = watched.get(folder);
    if (present && present.identity === identity) {
      present.names = names;
      return;
    }
    drop(folder);
    if (closed || identity === undefined) return;
    try {
      const watcher = watch(folder, { persistent: false });
      const entry: Watched = { watcher, identity, names };
      watched.set(folder, entry);
      watcher.on('change', (_event, name) => {
        const matters = name === null || entry.names.has(ANY_NAME) || entry.names.has(name.toString());
        if (matters) onEvent();
      });
      watcher.on('error', () => {
        if (watched.get(folder) === entry) drop(folder);
        onEvent();
      });
    } catch {
      // Too many watches, or a file system without them.
    }
  }

  return {
    target: async (paths) => {
      const folders = await watchedFolders(paths);
      for (const folder of watched.keys()) if (!folders.has(folder)) drop(folder);
      for (const [folder, names] of folders) await add(folder, names);
    },
    close: () => {
      closed = true;
      for (const folder of watched.keys()) drop(folder);
    },
  };
}

async function identityOf(folder: string): Promise<string | undefined> {
  const status = await stat(folder).catch(() => undefined);
  return status && `${status.dev}:${status.ino}`;
}
