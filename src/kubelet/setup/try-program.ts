import { SetupError } from './errors.ts';
import { ABSENT, temporaryName } from './host/index.ts';
import type { SetupDependencies } from './setup.ts';

const UNIT = 'drp-node-try';
const TIMEOUT_MS = 30_000;
const LONGEST_COMPLAINT = 300;

/**
 * Runs a program that was copied once, as the units of the host will: what does not run there can't undo anything either.
 * @throws {SetupError} `refused`, with what the host says
 */
export async function tryProgram(
  path: string,
  { systemd, files, progress }: Pick<SetupDependencies, 'systemd' | 'files' | 'progress'>,
): Promise<void> {
  await progress({ name: 'try program', subject: path });
  const first = await runOnHost(path, systemd, files);
  // One that was ended by somebody else says nothing either.
  const { runs, said } = first.runs || first.said ? first : await runOnHost(path, systemd, files);
  if (runs) return;
  const complaint = said.split('\n')[0]?.slice(0, LONGEST_COMPLAINT) || 'it says nothing';
  throw new SetupError(
    'refused',
    `the program does not run on this host: ${complaint}. It needs glibc 2.28 or newer, libstdc++, and the processor that ` +
      'it was made for. Where the host has not, see "Hosts" in docs/node-setup.md for other ways',
  );
}

async function runOnHost(
  path: string,
  systemd: SetupDependencies['systemd'],
  files: SetupDependencies['files'],
): Promise<{ readonly runs: boolean; readonly said: string }> {
  // A name that is swept away with the program. A path of ours has no character that a shell would take for more.
  const output = temporaryName(path);
  const runs = await systemd.runOnce({
    name: UNIT,
    description: 'Try the program of Docker Registry Proxy',
    words: ['/bin/sh', '-c', `${path} --version >${output} 2>&1`],
    timeoutMs: TIMEOUT_MS,
  });
  const said = await files.readText(output).catch(() => undefined);
  await files.put(output, ABSENT);
  return { runs, said: said?.trim() ?? '' };
}
