import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs something with a file for a nonce that is made for this one question, so that nothing stays behind. */
export async function withThrowawayNonce<T>(run: (nonceFile: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'drp-identity-'));
  try {
    return await run(join(folder, 'nonce'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
