import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isMachineNonce, newMachineNonce } from '../machine-identity/index.ts';
import { CredentialOptionsError } from './errors.ts';

const MAXIMUM_BYTES = 256;

/**
 * The nonce in a file, which is made when it is missing. Several processes that do so at once end up with the same one.
 * @throws {CredentialOptionsError} when it can't be kept, holds something else, or others may read it
 */
export async function keepNonce(path: string): Promise<string> {
  try {
    return (await readNonce(path)) ?? (await makeNonce(path));
  } catch (error) {
    if (error instanceof CredentialOptionsError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CredentialOptionsError(`${path}: the nonce can not be kept there (${code})`);
  }
}

async function readNonce(path: string): Promise<string | undefined> {
  // A link that somebody planted would let them choose the nonce.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
  );
  if (!file) return undefined;
  try {
    const { mode } = await file.stat();
    if ((mode & 0o077) !== 0) {
      throw new CredentialOptionsError(`${path} may be read by others: chmod 600 it, if nobody has`);
    }
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAXIMUM_BYTES), 0, MAXIMUM_BYTES, 0);
    const nonce = buffer.subarray(0, bytesRead).toString('utf8').trim();
    if (!isMachineNonce(nonce)) {
      throw new CredentialOptionsError(
        `${path} holds no nonce: delete it, and forget the instance's binding`,
      );
    }
    return nonce;
  } finally {
    await file.close();
  }
}

async function makeNonce(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const nonce = newMachineNonce(randomBytes);
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`${nonce}\n`);
    await file.sync();
    // Unlike a rename, this does not take the place of one that was made meanwhile.
    await link(temporary, path);
    return nonce;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const others = await readNonce(path);
    if (others === undefined) throw error;
    return others;
  } finally {
    await file.close();
    await unlink(temporary);
  }
}
