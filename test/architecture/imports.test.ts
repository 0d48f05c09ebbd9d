import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { checkImports, checkLength, checkPaths, type Sources } from './rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const RULES = 'test/architecture/rules.ts';

it('imports in src/ point downwards, and only through doors', () => {
  const sources = read(join(ROOT, 'src'), /\.ts$/);
  expect(sources.size).toBeGreaterThan(20);
  expect(checkImports(sources)).toEqual([]);
});

it('no file of code is over 400 lines', () => {
  const problems = ['src', 'test', 'bench'].flatMap((folder) =>
    checkLength(read(join(ROOT, folder), /\.ts$/)),
  );
  expect(problems).toEqual([]);
});

it('no file names a path of a single machine', () => {
  const folders = ['src', 'test', 'bench', 'docs', 'examples', 'deploy', '.ci'];
  // In a worktree, git's own folder is a file that names it.
  const top = readdirSync(ROOT, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name !== '.git',
  );
  const sources = new Map(top.map(({ name }) => [name, readFileSync(join(ROOT, name), 'utf8')]));
  for (const folder of folders) {
    for (const [file, text] of read(join(ROOT, folder), /./)) sources.set(`${folder}/${file}`, text);
  }
  sources.delete(RULES);
  expect(sources.size).toBeGreaterThan(50);
  expect(checkPaths(sources)).toEqual([]);
});

function read(folder: string, names: RegExp): Sources {
  let entries: ReturnType<typeof list>;
  try {
    entries = list(folder);
  } catch {
    return new Map();
  }
  return new Map(
    entries
      .filter((entry) => entry.isFile() && names.test(entry.name))
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [relative(folder, path), readFileSync(path, 'utf8')];
      }),
  );
}

function list(folder: string) {
  return readdirSync(folder, { recursive: true, withFileTypes: true });
}
