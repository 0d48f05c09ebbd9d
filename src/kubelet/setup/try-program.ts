import { SetupError } from './errors.ts';
import type { SetupDependencies } from './setup.ts';

const UNIT = 'drp-node-try';
const TIMEOUT_MS = 30_000;
/** One that was ended by somebody else is tried once more. */
const TRIES = 2;

/**
 * Runs a program that was copied once, as the units of the host will: what does not run there can't undo anything either.
 * What it says is in the host's journal: a file for it could outlive an installer that is killed.
 * @throws {SetupError} `refused`
 */
export async function tryProgram(
  path: string,
  { systemd, progress }: Pick<SetupDependencies, 'systemd' | 'progress'>,
): Promise<void> {
  await progress({ name: 'try program', subject: path });
  for (let tries = 0; tries < TRIES; tries += 1) {
    const runs = await systemd.runOnce({
      name: UNIT,
      description: 'Try the program of Docker Registry Proxy',
      words: [path, '--version'],
      timeoutMs: TIMEOUT_MS,
    });
    if (runs) return;
  }
  throw new SetupError(
    'refused',
    `the program does not run on this host; journalctl -u ${UNIT} on the host says why. It needs glibc 2.28 or newer, ` +
      'libstdc++, and the processor that it was made for. Where the host has not, see "Hosts" in docs/node-setup.md for other ways',
  );
}
