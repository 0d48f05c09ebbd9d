import { readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** As the kernel has it. */
const MOST_LINKS = 40;

/** Whether two paths lead to one file, whatever links and names are on the way; also where there is none yet. */
export async function isSamePlace(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map(fileAt));
  if (first && second) return first.dev === second.dev && first.ino === second.ino;
  const [place, otherPlace] = await Promise.all([one, other].map((path) => placeOf(path, MOST_LINKS)));
  return place === otherPlace;
}

function fileAt(path: string) {
  return stat(path, { bigint: true }).catch(() => undefined);
}

async function placeOf(path: string, linksLeft: number): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined) return real;
  const folder = dirname(path);
  if (folder === path) return path;
  const place = join(await placeOf(folder, linksLeft), basename(path));
  const target = await readlink(place).catch(() => undefined);
  if (target === undefined || linksLeft === 0) return place;
  return placeOf(resolve(dirname(place), target), linksLeft - 1);
}
