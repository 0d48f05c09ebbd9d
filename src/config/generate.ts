import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generatedFiles } from './generated-files.ts';

// Writes the files that are made from the schema: `npm run build && node dist/config/generate.js`.
const top = join(import.meta.dirname, '../..');
for (const [path, text] of generatedFiles()) {
  await mkdir(dirname(join(top, path)), { recursive: true });
  await writeFile(join(top, path), text);
}
