import { SetupError } from '../errors.ts';
import type { HostFiles } from '../host/index.ts';

/** Tried in order. On Container-Optimized OS only the second one allows execution. */
const EXECUTABLE_FOLDERS = ['/opt/drp/bin', '/home/kubernetes/bin', '/usr/local/bin'];

interface Mount {
  readonly point: string;
  readonly options: ReadonlySet<string>;
}

/**
 * Where a program of ours can lie on the host.
 * @param wanted the folder that was asked for
 * @throws {SetupError} when that one, or all of ours, can't be written or don't allow execution
 */
export async function findExecutableFolder(files: HostFiles, wanted?: string): Promise<string> {
  const mounts = parseMounts((await files.readText('/proc/1/mountinfo')) ?? '');
  const candidates = wanted === undefined ? EXECUTABLE_FOLDERS : [wanted];
  const problems: string[] = [];
  for (const folder of candidates) {
    const problem = problemOf(mountOf(folder, mounts));
    if (!problem) return folder;
    problems.push(`${folder} ${problem}`);
  }
  throw new SetupError('refused', `${problems.join(', ')}: name another folder with --executable-folder`);
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html */
function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = ''] = line.split(' - ');
    const [, , , , point, options] = before.split(' ');
    if (point === undefined || options === undefined) return [];
    const unescaped = point.replace(/\\([0-7]{3})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 8)),
    );
    return [{ point: unescaped, options: new Set(options.split(',')) }];
  });
}

/** The last one that was mounted over the longest part of the path. */
function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let found: Mount | undefined;
  for (const mount of mounts) {
    const covers = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`);
    if (covers && mount.point.length >= (found?.point.length ?? 0)) found = mount;
  }
  return found;
}

function problemOf(mount: Mount | undefined): string | undefined {
  if (mount?.options.has('noexec')) return 'does not allow execution';
  return mount?.options.has('ro') ? 'is read-only' : undefined;
}
