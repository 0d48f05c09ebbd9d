import { createHash } from 'node:crypto';
import { type FileContents, readWholeFile } from './read-file.ts';

/** Of the configuration file itself. */
export const CONFIG_LIMIT_BYTES = 1024 * 1024;
/** Of any file. */
export const FILE_LIMIT_BYTES = 4 * 1024 * 1024;

/** A mark over files as they were read; equal for equal paths and contents. */
export function fingerprintOf(files: ReadonlyMap<string, FileContents>): string {
  const hash = createHash('sha256');
  for (const [path, contents] of [...files].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    hash.update(`${Buffer.byteLength(path)}:${path}:${contents.type}:`);
    if (contents.type === 'contents') hash.update(`${contents.bytes.length}:`).update(contents.bytes);
    if (contents.type === 'folder') hash.update(JSON.stringify(contents.names));
    if (contents.type === 'unusable') hash.update(contents.reason);
  }
  return hash.digest('hex');
}

/** The mark over files as they are now. */
export async function fingerprintFiles(paths: readonly string[]): Promise<string> {
  const files = new Map<string, FileContents>();
  for (const path of paths) files.set(path, await readWholeFile(path, FILE_LIMIT_BYTES));
  return fingerprintOf(files);
}
