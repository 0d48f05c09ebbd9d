import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileReference } from '../../core/index.ts';
import { generateSigningKeys, parseSigningKeys, SigningKeyError, type SigningKeys } from './signing-keys.ts';

/** What file systems without hard links say. */
const NO_LINKS: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * The keys of the file, or new ones, which are then kept there for their owner only. When several processes start
 * at once, all use the keys of the one that was fastest.
 * @throws {SigningKeyError} names the file, and never key material
 */
export async function loadOrCreateSigningKeys(file: FileReference): Promise<SigningKeys> {
  const { path, contents } = file;
  if (contents !== undefined) return parseFile(path, contents.toString('utf8'));
  try {
    await createFile(path, generateSigningKeys());
    return parseFile(path, await readFile(path, 'utf8'));
  } catch (cause) {
    if (cause instanceof SigningKeyError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SigningKeyError(`the signing keys can't be kept in ${path}: ${reason}`, { cause });
  }
}

function parseFile(path: string, text: string): SigningKeys {
  try {
    return parseSigningKeys(text);
  } catch (error) {
    throw error instanceof SigningKeyError ? new SigningKeyError(`${path}: ${error.message}`) : error;
  }
}

/** The file appears whole or not at all; one that is there already stays. */
async function createFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(8).toString('hex')}.new`;
  try {
    await writeNew(temporary, text);
    await link(temporary, path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return;
    if (!NO_LINKS.has(code)) throw error;
    await writeNew(path, text).catch(ignoreExisting);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function ignoreExisting(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
