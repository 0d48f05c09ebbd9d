import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { SetupError } from '../errors.ts';

/** SHA-256 of a file, in hexadecimal. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/**
 * Copies a program, on disk when this resolves.
 * @throws {SetupError} when it is not what it was when it was planned
 */
export async function copyProgram(source: string, target: string, sha256: string): Promise<void> {
  const hash = createHash('sha256');
  await rm(target, { force: true });
  const file = await open(target, 'wx', 0o700);
  try {
    for await (const chunk of createReadStream(source)) {
      hash.update(chunk as Buffer);
      await file.writeFile(chunk as Buffer);
    }
    await file.chmod(0o755);
    await file.sync();
  } finally {
    await file.close();
  }
  if (hash.digest('hex') === sha256) return;
  await rm(target, { force: true });
  throw new SetupError('failed', `${source} has changed while it was copied: install again`);
}
