import { SetupError } from './errors.ts';
import { temporaryName } from './host/index.ts';
import { STATE_FOLDER, UNDO_TIMER } from './plan/index.ts';
import type { SetupDependencies, SetupTiming } from './setup.ts';

const TIMER_UNIT = `${UNDO_TIMER}.timer`;

/** A program that is still to be copied. */
export interface CopiedProgram {
  readonly path: string;
  /** Folders that are made for it, the outermost first. */
  readonly folders: readonly string[];
}

/**
 * For a run that died before its program was whole, or before it had written the journal: takes the program away again
 * unless something is installed that needs it.
 */
function sweepScript({ path, folders }: CopiedProgram): string {
  // All of these are paths without any character that a shell, or systemd, would take for more.
  return [
    `[ ! -e ${STATE_FOLDER}/journal.json ] || exit 0`,
    `grep -qF ${path} ${STATE_FOLDER}/installed.json 2>/dev/null || rm -f ${path}`,
    `rm -f ${temporaryName(path)}`,
    `rmdir ${[...folders].reverse().join(' ')} 2>/dev/null`,
    'exit 0',
  ].join('; ');
}

/**
 * Lets systemd undo everything later, whatever becomes of us. One timer of this name can be there, so it is the lock
 * of the node, too.
 * @param timing after how long; and kubelet is judged then as it would have been now
 * @param copy the program, where it is still to come: it is swept away also when it can't be run
 * @throws {SetupError} `busy` when somebody else has armed it
 */
export async function armUndoTimer(
  program: readonly string[],
  { undoAfterMs, stableMs, timeoutMs }: SetupTiming,
  copy: CopiedProgram | undefined,
  { systemd, progress }: SetupDependencies,
): Promise<void> {
  await progress({ name: 'arm undo timer', subject: TIMER_UNIT });
  const health = ['--healthy-for', `${stableMs}ms`, '--healthy-within', `${timeoutMs}ms`];
  const timer = {
    name: UNDO_TIMER,
    description: 'Undo an unfinished node setup of Docker Registry Proxy',
    afterMs: undoAfterMs,
    commands: [
      { words: [...program, 'node', 'rollback', ...health], mayFail: true },
      ...(copy ? [{ words: ['/bin/sh', '-c', sweepScript(copy)] }] : []),
    ],
  };
  try {
    await systemd.startTimer(timer);
  } catch (error) {
    if (!(error instanceof SetupError) || error.code !== 'busy') throw error;
    // One that has run, but could not stop itself.
    if ((await systemd.unit(TIMER_UNIT)).subState !== 'elapsed') throw busy(error);
    await systemd.stop(TIMER_UNIT);
    await systemd.startTimer(timer);
  }
}

export async function disarmUndoTimer({ systemd, progress }: SetupDependencies): Promise<void> {
  await progress({ name: 'disarm undo timer', subject: TIMER_UNIT });
  await systemd.stop(TIMER_UNIT);
}

/** Whether systemd will undo what is pending. */
export async function undoTimerIsArmed({ systemd }: SetupDependencies): Promise<boolean> {
  const { activeState, subState } = await systemd.unit(TIMER_UNIT);
  return activeState === 'active' && subState !== 'elapsed';
}

export function busy(cause?: unknown): SetupError {
  return new SetupError(
    'busy',
    'another run is at work on this node, or did not end: wait until the host undoes it, or run drp node rollback',
    { cause },
  );
}
