import { fingerprint, programVersion } from '../../core/index.ts';
import type { InstallOptions, SetupDependencies, SetupTiming } from '../../kubelet/setup/index.ts';

const LENGTH = 12;

/** In hexadecimal: it becomes a part of the name of an annotation. The same on each node that is given the same program, configuration and options; of another installation another one. */
export async function changeId(
  { program, ...options }: InstallOptions,
  timing: SetupTiming,
  { fileHash }: Pick<SetupDependencies, 'fileHash'>,
): Promise<string> {
  const what = program.type === 'copy' ? await fileHash(program.source) : programVersion();
  const all = Buffer.from(fingerprint([what, options, timing]), 'base64url');
  return all.toString('hex').slice(0, LENGTH);
}
