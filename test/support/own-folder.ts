import { onTestFinished } from 'vitest';
import { createTemporaryFolder } from './temporary-folder.ts';

/** The path of an empty folder that is gone after the running test. */
export async function ownFolder(): Promise<string> {
  const folder = await createTemporaryFolder();
  onTestFinished(() => folder.close());
  return folder.path;
}
