import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Whether a folder can be written to, or made where it is missing. */
export type FolderAccess = 'writable' | 'can-be-made' | 'not-writable';

export async function folderAccess(path: string): Promise<FolderAccess> {
  if (await exists(path)) return (await canWrite(path)) ? 'writable' : 'not-writable';
  let parent = dirname(path);
  while (!(await exists(parent))) parent = dirname(parent);
  return (await canWrite(parent)) ? 'can-be-made' : 'not-writable';
}

/** @returns undefined for what does not exist */
export async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777;
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await modeOf(path)) !== undefined || dirname(path) === path;
}

async function canWrite(path: string): Promise<boolean> {
  try {
    await access(path, constants.W_OK | constants.X_OK);
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
