import { lstat, mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SocketError } from './errors.ts';

const OWN_FOLDER_MODE = 0o700;
const WRITABLE_BY_OTHERS = 0o022;
const ROOT = 0;

/**
 * Makes sure that only we and root can put anything into the folder of a socket; makes the folder when it is missing.
 * @returns the path of the socket without symbolic links in its folder's name
 * @throws {SocketError}
 */
export async function prepareSocketFolder(path: string, uid: number): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: OWN_FOLDER_MODE });
  const folder = await realpath(dirname(path));
  const status = await lstat(folder);
  if (status.uid !== uid && status.uid !== ROOT) {
    throw new SocketError(`${folder} belongs to somebody else: use a folder of its own for ${path}`);
  }
  if ((status.mode & WRITABLE_BY_OTHERS) !== 0) {
    throw new SocketError(
      `others may write to ${folder}: chmod go-w it, or use a folder of its own for ${path}`,
    );
  }
  return join(folder, basename(path));
}
