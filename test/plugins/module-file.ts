import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileReference } from '../../src/core/index.ts';

/** Writes an ES module; the reference is as the configuration's loader hands it over. */
export async function writeModule(folder: string, text: string): Promise<FileReference> {
  const path = join(folder, 'plugin.mjs');
  await writeFile(path, text);
  const reference = new FileReference('plugin.mjs');
  reference.resolve(path, Buffer.from(text));
  return reference;
}
