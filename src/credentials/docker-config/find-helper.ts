import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { CredentialError } from '../errors.ts';

/**
 * The absolute path of a credential helper: the first program of its name in these folders. Relative ones are passed
 * over, so that it does not depend on where the proxy was started.
 * @throws {CredentialError} when there is none
 */
export async function findHelper(helper: string, folders: readonly string[]): Promise<string> {
  const program = `docker-credential-${helper}`;
  for (const folder of folders.filter(isAbsolute)) {
    const path = join(folder, program);
    if (await isProgram(path)) return path;
  }
  throw new CredentialError(
    `there is no program ${program} in ${folders.join(', ') || 'any folder'}; install it, or name its folder in helperDirectories`,
  );
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
