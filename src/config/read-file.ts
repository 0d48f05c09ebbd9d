import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { BodyTooLargeError, readBounded } from '../core/index.ts';

export type FileContents =
  | { readonly type: 'contents'; readonly bytes: Buffer }
  /** The names in a folder, in order. */
  | { readonly type: 'folder'; readonly names: readonly string[] }
  | { readonly type: 'missing' }
  | { readonly type: 'unusable'; readonly reason: string };

/** Reads a whole file of at most `limitBytes`, or the names in a folder. Never rejects: what is wrong is in the answer. */
export async function readWholeFile(path: string, limitBytes: number): Promise<FileContents> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe waits for somebody to write into it.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await file.stat();
    if (status.isDirectory()) return { type: 'folder', names: (await readdir(path)).toSorted() };
    if (!status.isFile()) return { type: 'unusable', reason: 'is not a regular file' };
    const bytes = await readBounded(file.createReadStream({ autoClose: false }), limitBytes);
    return { type: 'contents', bytes };
  } catch (error) {
    if (error instanceof BodyTooLargeError)
      return { type: 'unusable', reason: `is larger than ${limitBytes} bytes` };
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') return { type: 'missing' };
    return { type: 'unusable', reason: `can not be read (${code})` };
  } finally {
    await file?.close();
  }
}
