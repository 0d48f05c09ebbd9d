/** What is at a path. */
export type FileEntry =
  | { readonly type: 'absent' }
  | PlainFile
  | { readonly type: 'link'; readonly target: string }
  | { readonly type: 'folder'; readonly mode: number; readonly uid: number; readonly gid: number };

export interface PlainFile {
  readonly type: 'file';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly content: Buffer;
  /** Kept when an old content is put back; in milliseconds since the epoch. */
  readonly modifiedMs?: number | undefined;
}

export const ABSENT: FileEntry = { type: 'absent' };

/** A file of root's. */
export function rootFile(content: string | Buffer, mode = 0o644): PlainFile {
  return { type: 'file', mode, uid: 0, gid: 0, content: Buffer.from(content) };
}

export function rootFolder(mode = 0o755): FileEntry {
  return { type: 'folder', mode, uid: 0, gid: 0 };
}

/** Whether both say the same; when something was changed does not matter. */
export function sameEntry(a: FileEntry, b: FileEntry): boolean {
  if (a.type === 'file' && b.type === 'file') {
    return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && a.content.equals(b.content);
  }
  if (a.type === 'link' && b.type === 'link') return a.target === b.target;
  // A folder that is there is good as it is: others have their files in it too.
  return a.type === b.type;
}

/** Whether both hold the same, whoever owns them and may read them. */
export function sameContent(a: FileEntry, b: FileEntry): boolean {
  return a.type === 'file' && b.type === 'file' ? a.content.equals(b.content) : sameEntry(a, b);
}

/** An entry as JSON holds it. */
export type StoredEntry =
  | Exclude<FileEntry, { type: 'file' }>
  | (Omit<PlainFile, 'content'> & { readonly base64: string });

export function storeEntry(entry: FileEntry): StoredEntry {
  if (entry.type !== 'file') return entry;
  const { content, ...rest } = entry;
  return { ...rest, base64: content.toString('base64') };
}

export function restoreEntry(entry: StoredEntry): FileEntry {
  if (entry.type !== 'file') return entry;
  const { base64, ...rest } = entry;
  return { ...rest, content: Buffer.from(base64, 'base64') };
}
