import { ABSENT } from './host/index.ts';
import type { JournalEntry } from './journal/index.ts';
import type { SetupDependencies } from './setup.ts';

/** Ends what is committed: nobody puts it back from here on. May be repeated. */
export async function complete(entry: JournalEntry, { journal, files }: SetupDependencies): Promise<void> {
  const old = entry.previous?.copies.filter((path) => !entry.next?.copies.includes(path)) ?? [];
  for (const path of old) await files.put(path, ABSENT);
  for (const { path, before, after } of entry.changes) {
    await files.removeLeftovers(path);
    // As long as something was kept in it, it could not go.
    if (before.type === 'folder' && after.type === 'absent') await files.put(path, ABSENT);
  }
  await journal.finish(entry, entry.next);
}
