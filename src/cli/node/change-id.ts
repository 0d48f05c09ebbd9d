import { createHash } from 'node:crypto';
import { programVersion } from '../../core/index.ts';
import type { InstallOptions, SetupDependencies, SetupTiming } from '../../kubelet/setup/index.ts';

const LENGTH = 12;

/** The same on each node that is given the same program, configuration and options; of another installation another one. */
export async function changeId(
  { program, ...options }: InstallOptions,
  timing: SetupTiming,
  { fileHash }: Pick<SetupDependencies, 'fileHash'>,
): Promise<string> {
  const what = program.type === 'copy' ? await fileHash(program.source) : programVersion();
  const text = JSON.stringify([what, options, timing]);
  return createHash('sha256').update(text).digest('hex').slice(0, LENGTH);
}
