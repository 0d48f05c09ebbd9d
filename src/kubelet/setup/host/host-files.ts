import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import {
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path/posix';
import { SetupError } from '../errors.ts';
import { copyProgram } from './copy-program.ts';
import { ABSENT, type FileEntry, type PlainFile, sameEntry } from './file-entry.ts';
import { mayGiveFilesAway } from './owners.ts';
import { resolveInRoot } from './resolve-in-root.ts';

const LARGEST_FILE_BYTES = 1024 * 1024;
const LARGEST_PROC_FILE_BYTES = 4 * 1024 * 1024;

/**
 * The host's files, by their paths on the host. Where the host's root is mounted somewhere, links are followed inside of
 * it, as the host itself would.
 */
export interface HostFiles {
  /** Where a path of the host is for us, links in its folders followed; for sockets and for programs. */
  locate(path: string): Promise<string>;
  /** What is there now. @throws {SetupError} for what is neither a file, a folder nor a link, and for huge files */
  snapshot(path: string): Promise<FileEntry>;
  /** A file, links followed; undefined when there is none. @throws {SetupError} for anything else than a file */
  readFile(path: string): Promise<PlainFile | undefined>;
  /** Whether `put` could make an entry again as it is, its owner included. */
  canMake(entry: FileEntry): boolean;
  /** The text of a file, links followed; undefined when there is none. */
  readText(path: string): Promise<string | undefined>;
  /** Names in a folder; none when there is no folder. */
  list(folder: string): Promise<readonly string[]>;
  /**
   * All that is in a folder and below: names in the order of their bytes, a folder before what is in it. Links are named
   * and not followed. None when there is no folder.
   */
  walk(folder: string): Promise<readonly { readonly path: string; readonly isFolder: boolean }[]>;
  /** When a file, or a link to it, was last changed, in milliseconds since the epoch; undefined when there is none. */
  changedAt(path: string): Promise<number | undefined>;
  /**
   * Makes it so, at once or not at all, and on disk when this resolves. A folder that is to be absent stays when it is
   * not empty.
   */
  put(path: string, entry: FileEntry): Promise<void>;
  /** Keeps the file at a path beside it, until its leftovers are removed; the copy takes no room on the disk. */
  keep(path: string): Promise<void>;
  /** Like `put`, but without any need of room on the disk where this is what was kept. */
  putBack(path: string, entry: FileEntry): Promise<void>;
  /**
   * Makes a file of root's, unless something is there.
   * @returns whether it was made; whoever comes second gets false, also at the same moment
   */
  create(path: string, content: string): Promise<boolean>;
  /** Copies a file of ours, and checks what has arrived; as `put` does it, at once or not at all. */
  copyIn(source: string, path: string, sha256: string): Promise<void>;
  /** Removes what was kept, and what a `put` or a copy that was killed may have left beside a path. */
  removeLeftovers(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
}

/**
 * @param root where the host's `/` is for us
 * @param withOwners whether owners are kept; only root can, and for anybody else all files count as root's
 * @param anyOwner whether files can be given to others than root
 */
export function createHostFiles(
  root: string,
  withOwners = process.getuid?.() === 0,
  anyOwner = withOwners && mayGiveFilesAway(),
): HostFiles {
  // The last part is not followed: a link is replaced, never written through.
  const place = async (path: string): Promise<string> =>
    join(await resolveInRoot(root, dirname(path)), basename(path));

  async function entryAt(real: string, path: string): Promise<FileEntry> {
    const status = await lstat(real).catch(absentIsUndefined);
    if (!status) return ABSENT;
    const { uid, gid } = withOwners ? status : { uid: 0, gid: 0 };
    const mode = status.mode & 0o7777;
    if (status.isSymbolicLink()) return { type: 'link', target: await readlink(real) };
    if (status.isDirectory()) return { type: 'folder', mode, uid, gid };
    if (!status.isFile()) throw new SetupError('refused', `${path} is neither a file nor a folder`);
    const content = await readBounded(real, path, LARGEST_FILE_BYTES);
    return { type: 'file', mode, uid, gid, content, modifiedMs: status.mtimeMs };
  }

  const snapshot = async (path: string): Promise<FileEntry> => entryAt(await place(path), path);

  async function walk(folder: string): Promise<{ path: string; isFolder: boolean }[]> {
    const real = await resolveInRoot(root, folder);
    const entries = (await readdir(real, { withFileTypes: true }).catch(absentIsUndefined)) ?? [];
    entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
    const found: { path: string; isFolder: boolean }[] = [];
    for (const entry of entries) {
      const path = join(folder, entry.name);
      found.push({ path, isFolder: entry.isDirectory() });
      if (entry.isDirectory()) found.push(...(await walk(path)));
    }
    return found;
  }

  return {
    snapshot,
    walk,
    async changedAt(path) {
      const link = await lstat(await place(path)).catch(absentIsUndefined);
      const target = await stat(await resolveInRoot(root, path)).catch(absentIsUndefined);
      return link && Math.max(link.mtimeMs, target?.mtimeMs ?? 0);
    },
    async readFile(path) {
      const entry = await entryAt(await resolveInRoot(root, path), path);
      if (entry.type === 'absent') return undefined;
      if (entry.type !== 'file') throw new SetupError('refused', `${path} is no file`);
      return entry;
    },
    canMake: (entry) =>
      !withOwners || anyOwner || entry.type !== 'file' || (entry.uid === 0 && entry.gid === 0),
    locate: (path) => resolveInRoot(root, path),
    async readText(path) {
      const real = await resolveInRoot(root, path);
      const limit = path.startsWith('/proc/') ? LARGEST_PROC_FILE_BYTES : LARGEST_FILE_BYTES;
      return (await readBounded(real, path, limit).catch(absentIsUndefined))?.toString('utf8');
    },
    async list(folder) {
      return (await readdir(await resolveInRoot(root, folder)).catch(absentIsUndefined)) ?? [];
    },
    async put(path, entry) {
      await putEntry(await place(path), entry, withOwners);
    },
    async keep(path) {
      const real = await place(path);
      await rm(keptName(real), { force: true });
      await link(real, keptName(real)).catch(linksAreOptional);
    },
    async putBack(path, entry) {
      const real = await place(path);
      if (entry.type === 'file' && sameEntry(await entryAt(keptName(real), path), entry)) {
        await rename(keptName(real), real);
        await syncFolder(dirname(real));
      } else {
        await putEntry(real, entry, withOwners);
      }
    },
    async create(path, content) {
      const real = await place(path);
      const temporary = `${temporaryName(real)}-${randomUUID()}`;
      const entry = { type: 'file', mode: 0o600, uid: 0, gid: 0, content: Buffer.from(content) } as const;
      await writeSynced(temporary, entry, withOwners);
      try {
        await link(temporary, real);
        return true;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
        return false;
      } finally {
        await rm(temporary, { force: true });
        await syncFolder(dirname(real));
      }
    },
    async copyIn(source, path, sha256) {
      const real = await place(path);
      await copyProgram(source, temporaryName(real), sha256);
      await rename(temporaryName(real), real);
      await syncFolder(dirname(real));
    },
    async removeLeftovers(path) {
      const real = await place(path);
      const leftovers = [temporaryName(real), keptName(real)].map((name) => basename(name));
      for (const name of (await readdir(dirname(real)).catch(absentIsUndefined)) ?? []) {
        if (leftovers.some((leftover) => name.startsWith(leftover)))
          await rm(join(dirname(real), name), { force: true });
      }
    },
    exists: async (path) => (await lstat(await place(path)).catch(absentIsUndefined)) !== undefined,
  };
}

async function putEntry(real: string, entry: FileEntry, withOwners: boolean): Promise<void> {
  const temporary = temporaryName(real);
  switch (entry.type) {
    case 'absent':
      await removeEntry(real);
      break;
    case 'folder':
      await mkdir(real, { mode: entry.mode }).catch((error: unknown) => {
        if (codeOf(error) !== 'EEXIST') throw error;
      });
      break;
    case 'link':
      await rm(temporary, { force: true });
      await symlink(entry.target, temporary);
      await rename(temporary, real);
      break;
    case 'file':
      await rm(temporary, { force: true });
      await writeSynced(temporary, entry, withOwners);
      await rename(temporary, real);
      break;
  }
  await syncFolder(dirname(real));
}

async function writeSynced(path: string, entry: PlainFile, withOwners: boolean): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(entry.content);
    // Owner first: changing it clears the set-user-id bits.
    if (withOwners) await file.chown(entry.uid, entry.gid);
    await file.chmod(entry.mode);
    if (entry.modifiedMs !== undefined) await file.utimes(entry.modifiedMs / 1000, entry.modifiedMs / 1000);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function removeEntry(real: string): Promise<void> {
  const status = await lstat(real).catch(absentIsUndefined);
  if (!status) return;
  if (!status.isDirectory()) return rm(real, { force: true });
  await rmdir(real).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
  });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY).catch(absentIsUndefined);
  if (!folder) return;
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function readBounded(real: string, path: string, limit: number): Promise<Buffer> {
  const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const chunks: Buffer[] = [];
    for (let size = 0; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, null);
      if (bytesRead === 0) return Buffer.concat(chunks);
      size += bytesRead;
      if (size > limit) throw new SetupError('refused', `${path} has more than ${limit} bytes`);
      chunks.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/** In the same folder, so that it can be renamed; hidden, and with an ending that nobody reads. */
export function temporaryName(real: string): string {
  return join(dirname(real), `.${basename(real)}.drp-new`);
}

/** Hidden, too, and read by nobody. */
function keptName(real: string): string {
  return join(dirname(real), `.${basename(real)}.drp-kept`);
}

/** Some file systems have none. */
function linksAreOptional(error: unknown): void {
  if (!['EPERM', 'EOPNOTSUPP', 'EMLINK'].includes(String(codeOf(error)))) throw error;
}

function absentIsUndefined(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
  throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
