import { SetupError } from './errors.ts';
import { temporaryName } from './host/index.ts';
import { STATE_FOLDER, UNDO_TIMER } from './plan/index.ts';
import type { SetupDependencies, SetupTiming } from './setup.ts';

const TIMER_UNIT = `${UNDO_TIMER}.timer`;
const SERVICE_UNIT = `${UNDO_TIMER}.service`;
/** Undoing may restart kubelet, so not at once. */
export const RETRY_AFTER_MS = 120_000;

/** A program that is still to be copied. */
export interface CopiedProgram {
  readonly path: string;
  /** Folders that are made for it, the outermost first. */
  readonly folders: readonly string[];
}

/**
 * Where nothing is left to undo, ends the timer; and, for a run that died before its program was whole or before it had
 * written the journal, takes the program away again unless something is installed that needs it.
 */
function sweepScript(copy: CopiedProgram | undefined): string {
  // All of these are paths without any character that a shell, or systemd, would take for more.
  return [
    `[ ! -e ${STATE_FOLDER}/journal.json ] || exit 0`,
    ...(copy
      ? [
          `grep -qF ${copy.path} ${STATE_FOLDER}/installed.json 2>/dev/null || rm -f ${copy.path}`,
          `rm -f ${temporaryName(copy.path)}`,
          `rmdir ${[...copy.folders].reverse().join(' ')} 2>/dev/null`,
        ]
      : []),
    `systemctl stop ${TIMER_UNIT}`,
    'exit 0',
  ].join('; ');
}

/**
 * Lets systemd undo everything later, again and again until it is done, whatever becomes of us.
 * @param timing after how long; and kubelet is judged then as it would have been now
 * @param copy the program, where it is still to come: it is swept away also when it can't be run
 * @throws {SetupError} `busy` when an earlier run has armed it, which nobody has ended
 */
export async function armUndoTimer(
  program: readonly string[],
  { undoAfterMs, stableMs, timeoutMs }: SetupTiming,
  copy: CopiedProgram | undefined,
  dependencies: SetupDependencies,
): Promise<void> {
  const { systemd, progress } = dependencies;
  await progress({ name: 'arm undo timer', subject: TIMER_UNIT });
  const health = ['--healthy-for', `${stableMs}ms`, '--healthy-within', `${timeoutMs}ms`];
  const timer = {
    name: UNDO_TIMER,
    description: 'Undo an unfinished node setup of Docker Registry Proxy',
    afterMs: undoAfterMs,
    againMs: RETRY_AFTER_MS,
    commands: [
      { words: [...program, 'node', 'rollback', ...health], mayFail: true },
      { words: ['/bin/sh', '-c', sweepScript(copy)] },
    ],
  };
  try {
    await systemd.startTimer(timer);
  } catch (error) {
    if (!(error instanceof SetupError) || error.code !== 'busy') throw error;
    if (await undoTimerIsArmed(dependencies)) throw unfinished(error);
    // What is left of one that has run.
    await systemd.stop(TIMER_UNIT);
    await systemd.resetFailed(SERVICE_UNIT);
    await systemd.startTimer(timer);
  }
}

/** One that stays finds nothing to do, and ends by itself. */
export async function disarmUndoTimer({ systemd, progress }: SetupDependencies): Promise<void> {
  await progress({ name: 'disarm undo timer', subject: TIMER_UNIT });
  await systemd.stop(TIMER_UNIT).catch(() => undefined);
}

/** What the timer would do later where there is no journal. Nothing is done where it does so now: that may be us. */
export async function sweepNow(dependencies: SetupDependencies): Promise<void> {
  const { systemd, progress } = dependencies;
  if (!(await undoTimerIsArmed(dependencies))) return;
  if ((await systemd.unit(SERVICE_UNIT)).activeState === 'activating') return;
  await progress({ name: 'disarm undo timer', subject: TIMER_UNIT });
  await systemd.start(SERVICE_UNIT);
}

/** Whether systemd will undo what is pending. */
export async function undoTimerIsArmed({ systemd }: SetupDependencies): Promise<boolean> {
  const { activeState, subState } = await systemd.unit(TIMER_UNIT);
  return activeState === 'active' && subState !== 'elapsed';
}

export function unfinished(cause?: unknown): SetupError {
  return new SetupError(
    'busy',
    'an earlier run on this node did not end: wait until the host undoes it, or run drp node rollback',
    { cause },
  );
}
