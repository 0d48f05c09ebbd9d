import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of a test's own. */
export interface TemporaryFolder {
  readonly path: string;
  /** Removes the folder and everything in it. */
  close(): Promise<void>;
}

/** Makes an empty folder under the system's temporary folder. */
export async function createTemporaryFolder(purpose = 'test'): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `drp-${purpose}-`));
  return { path, close: () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }) };
}
