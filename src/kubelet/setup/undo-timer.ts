import { SetupError } from './errors.ts';
import { temporaryName } from './host/index.ts';
import type { Copy } from './plan/index.ts';
import { UNDO_TIMER } from './plan/index.ts';
import type { SetupDependencies } from './setup.ts';

const TIMER_UNIT = `${UNDO_TIMER}.timer`;

/**
 * Lets systemd undo everything later, whatever becomes of us. One timer of this name can be there, so it is the lock
 * of the node, too.
 * @param copy a program that is still to come: half a copy is removed also when it can't be run
 * @throws {SetupError} `busy` when somebody else has armed it
 */
export async function armUndoTimer(
  program: readonly string[],
  afterMs: number,
  copy: Copy | undefined,
  { systemd, progress }: SetupDependencies,
): Promise<void> {
  await progress({ name: 'arm undo timer', subject: TIMER_UNIT });
  const timer = {
    name: UNDO_TIMER,
    description: 'Undo an unfinished node setup of Docker Registry Proxy',
    afterMs,
    commands: [
      { words: [...program, 'node', 'rollback'], mayFail: true },
      ...(copy ? [{ words: ['/bin/rm', '-f', temporaryName(copy.path)] }] : []),
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
