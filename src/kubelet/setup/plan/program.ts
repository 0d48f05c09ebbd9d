import { basename } from 'node:path/posix';
import type { HostFiles } from '../host/index.ts';

export interface ProgramDependencies {
  readonly files: HostFiles;
  /** SHA-256 of a file of ours, in hexadecimal. */
  readonly fileHash: (path: string) => Promise<string>;
}

/** The name says what is in it: an upgrade does not replace a program that runs. */
export function programName(sha256: string): string {
  return `drp-${sha256.slice(0, 12)}`;
}

/** Whether a program that was copied to the host is there, and still what its name says. */
export async function programIsIntact(
  path: string,
  { files, fileHash }: ProgramDependencies,
): Promise<boolean> {
  if (!(await files.exists(path))) return false;
  return basename(path) === programName(await fileHash(await files.locate(path)));
}
