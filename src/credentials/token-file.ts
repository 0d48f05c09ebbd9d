import { open } from 'node:fs/promises';
import { readBounded } from '../core/index.ts';
import { CredentialUnavailableError } from './unavailable.ts';

const LIMIT_BYTES = 64 * 1024;

/**
 * Reads a token that somebody else renews in place, as it is now.
 * @throws {CredentialUnavailableError}
 */
export async function readTokenFile(path: string): Promise<string> {
  const text = await readText(path).catch((cause: unknown) => {
    throw new CredentialUnavailableError(`the token file ${path} can't be read`, { cause });
  });
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CredentialUnavailableError(`the token file ${path} holds no token`);
}

async function readText(path: string): Promise<string> {
  const file = await open(path);
  try {
    return (await readBounded(file.createReadStream({ autoClose: false }), LIMIT_BYTES)).toString('utf8');
  } finally {
    await file.close();
  }
}
