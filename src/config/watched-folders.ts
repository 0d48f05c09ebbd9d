import type { Stats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { basename, join, parse, relative, resolve, sep } from 'node:path';

/** Stands for each name in a folder. */
export const ANY_NAME = '*';

/** As the kernel has it. */
const MOST_SYMLINKS = 40;

/**
 * The folders in which a change can put other contents behind a path, and the names in each that matter. A folder is
 * watched instead of a file because files are mostly replaced, not written. Symbolic links on the way count too: in a
 * Kubernetes volume the file itself never changes, but `..data` beside it is pointed at another folder.
 */
export async function watchedFolders(
  paths: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const folders = new Map<string, Set<string>>();
  for (const path of paths) {
    for (const { folder, name } of await steps(path)) {
      const names = folders.get(folder) ?? new Set([basename(folder)]);
      folders.set(folder, names.add(name));
    }
  }
  return folders;
}

interface Step {
  readonly folder: string;
  readonly name: string;
}

async function steps(path: string): Promise<Step[]> {
  const found: Step[] = [];
  let current = parse(path).root;
  let rest = names(path);
  let links = 0;
  while (rest.length > 0) {
    const [name = '', ...following] = rest;
    const status = await lstat(join(current, name)).catch(() => undefined);
    if (status?.isSymbolicLink() && links < MOST_SYMLINKS) {
      links += 1;
      found.push({ folder: current, name });
      const target = resolve(current, await readlink(join(current, name)).catch(() => name));
      rest = [...names(target), ...following];
      current = parse(target).root;
      continue;
    }
    if (following.length === 0 || !isFolder(status)) {
      found.push({ folder: current, name });
      if (isFolder(status)) found.push({ folder: join(current, name), name: ANY_NAME });
      break;
    }
    current = join(current, name);
    rest = following;
  }
  return found;
}

function isFolder(status: Stats | undefined): boolean {
  return status?.isDirectory() ?? false;
}

function names(path: string): string[] {
  return relative(parse(path).root, path)
    .split(sep)
    .filter((name) => name !== '');
}
