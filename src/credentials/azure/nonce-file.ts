import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { isMachineNonce, newMachineNonce } from '../../machine-identity/index.ts';
import { CredentialUnavailableError } from '../unavailable.ts';

const MODE = 0o600;

/**
 * The nonce that this machine keeps. Made with the first login; of several programs that make it at once, one wins.
 * @throws {CredentialUnavailableError} when it can't be kept: a proxy would know the machine by a nonce that is lost
 */
export async function machineNonce(path: string): Promise<string> {
  const known = await readNonce(path);
  if (known !== undefined) return known;
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await open(temporary, 'wx', MODE);
    try {
      await file.writeFile(`${newMachineNonce(randomBytes)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } catch (cause) {
    throw new CredentialUnavailableError(
      `the nonce of this machine can't be kept in ${path}: make its folder, and let this program write there`,
      { cause },
    );
  } finally {
    await rm(temporary, { force: true });
  }
  const made = await readNonce(path);
  if (made !== undefined) return made;
  throw new CredentialUnavailableError(`${path} has gone again`);
}

async function readNonce(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new CredentialUnavailableError(`the nonce of this machine in ${path} can't be read`, { cause });
  });
  const nonce = text?.trim();
  if (nonce === undefined || isMachineNonce(nonce)) return nonce;
  throw new CredentialUnavailableError(
    `${path} holds no nonce of a machine: remove it, and have the proxy forget the machine (rebind)`,
  );
}
