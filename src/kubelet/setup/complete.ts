import { ABSENT } from './host/index.ts';
import type { JournalEntry } from './journal/index.ts';
import type { SetupDependencies } from './setup.ts';

/** Ends what is committed: nobody puts it back from here on. May be repeated. */
export async function complete(entry: JournalEntry, { journal, files }: SetupDependencies): Promise<void> {
  for (const { path } of entry.changes) await files.removeLeftovers(path);
  const old = entry.previous?.copies.filter((path) => !entry.next?.copies.includes(path)) ?? [];
  for (const path of old) await files.put(path, ABSENT);
  // As long as something was kept in one, it could not go.
  const folders = entry.changes.filter(
    ({ before, after }) => before.type === 'folder' && after.type === 'absent',
  );
  for (const { path } of folders) await files.put(path, ABSENT);
  await journal.finish(entry, entry.next);
}
