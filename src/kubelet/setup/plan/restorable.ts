import { SetupError } from '../errors.ts';
import type { HostFiles } from '../host/index.ts';
import { pristineEntry } from './pristine-files.ts';
import type { Change, InstalledRecord } from './record.ts';

const SELINUX_ENFORCING = '/sys/fs/selinux/enforce';

/**
 * What is replaced is put back as a new file.
 * @throws {SetupError} when that one could not be all that the old one is
 */
export async function requireRestorable(
  changes: readonly Change[],
  record: InstalledRecord | undefined,
  files: HostFiles,
): Promise<void> {
  const enforcing = (await files.readText(SELINUX_ENFORCING))?.trim() === '1';
  for (const { path, phase, before, after } of changes) {
    for (const entry of [before, after]) {
      if (entry.type !== 'file' || files.canMake(entry)) continue;
      throw new SetupError(
        'refused',
        `${path} belongs to ${entry.uid}:${entry.gid}, which can't be put back without CAP_CHOWN: ` +
          'give it to root, or install on the host itself',
      );
    }
    const isTheirs = before.type === 'file' && pristineEntry(path, before, record) === before;
    if (enforcing && phase === 'kubelet' && isTheirs) {
      throw new SetupError(
        'refused',
        `SELinux is enforcing, and the label of ${path} could not be put back: use --strategy drop-in`,
      );
    }
  }
}
