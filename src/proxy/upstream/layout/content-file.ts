import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { type Digest, digestAlgorithm, digestHex } from '../../../oci/index.ts';
import { UpstreamError, type UpstreamErrorKind } from '../errors.ts';

/** Never waits for the other end of a pipe that lies where a file should. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

export interface OpenFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
}

/** @see OCI image layout specification, "Blobs" */
export function contentPath(folder: string, digest: Digest): string {
  return join(folder, 'blobs', digestAlgorithm(digest), digestHex(digest));
}

/**
 * Opens the file of a digest; the caller closes it.
 *
 * A symbolic link is followed only within the layout: an archive from elsewhere might otherwise hold a link to
 * any file of this machine, and a range of a blob goes out before anything could check its digest.
 * @throws {UpstreamError} `not-found`, or `faulty` when it is not a regular file of `sizeBytes`, or `unreachable`
 */
export async function openContent(folder: string, digest: Digest, sizeBytes: number): Promise<OpenFile> {
  const file = await openRegular(folder, contentPath(folder, digest)).catch((error: unknown) => {
    throw asUpstreamError(error, `the layout's file of ${digest}`);
  });
  if (file.sizeBytes === sizeBytes) return file;
  await file.handle.close();
  throw new UpstreamError(
    'faulty',
    `the layout's file of ${digest} has ${file.sizeBytes} bytes instead of ${sizeBytes}`,
  );
}

/** Opens a regular file of the layout; the caller closes it. */
export async function openRegular(folder: string, path: string): Promise<OpenFile> {
  const handle = await open(await realPathWithin(folder, path), READ_FLAGS);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new UpstreamError('faulty', `${path} is not a regular file`);
    return { handle, sizeBytes: stats.size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Where a path really leads, links in any of its parts followed. */
async function realPathWithin(folder: string, path: string): Promise<string> {
  const [home, target] = await Promise.all([realpath(folder), realpath(path)]);
  if (target.startsWith(home + sep)) return target;
  throw new UpstreamError('faulty', `${path} leads out of the layout`);
}

/** What a failed file operation means for the one who asked; `missing` is the kind for a file that is not there. */
export function asUpstreamError(
  error: unknown,
  what: string,
  missing: UpstreamErrorKind = 'not-found',
): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new UpstreamError(missing, `${what} is missing`, { cause: error });
  }
  return new UpstreamError('unreachable', `${what} can't be read: ${code ?? String(error)}`, {
    cause: error,
  });
}

function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
