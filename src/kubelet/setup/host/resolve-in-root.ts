import { readlink } from 'node:fs/promises';
import { join, normalize } from 'node:path/posix';
import { SetupError } from '../errors.ts';

const MOST_LINKS = 40;

/**
 * Follows the links of a path as a process would whose root is `root`: an absolute link starts again at `root`, and
 * `..` does not lead out of it.
 * @returns where it is for us; the last parts may not exist
 */
export async function resolveInRoot(root: string, path: string): Promise<string> {
  if (root === '/') return normalize(path);
  let rest = partsOf(path);
  let reached: string[] = [];
  let links = 0;
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '..') {
      reached.pop();
      continue;
    }
    const target = await linkTarget(join(root, ...reached, part));
    if (target === undefined) {
      reached.push(part);
      continue;
    }
    if (++links > MOST_LINKS) throw new SetupError('refused', `${path} goes through too many links`);
    if (target.startsWith('/')) reached = [];
    rest = [...partsOf(target), ...rest];
  }
  return join(root, ...reached);
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch {
    // It is no link, or nothing is there.
    return undefined;
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
