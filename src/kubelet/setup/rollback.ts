import { complete } from './complete.ts';
import { reasonOf, SetupError } from './errors.ts';
import type { JournalEntry } from './journal/index.ts';
import { withLock } from './lock.ts';
import type { SetupDependencies, SetupTiming } from './setup.ts';
import { type Undone, type UndoOptions, undo } from './undo.ts';
import { armUndoTimer, disarmUndoTimer, RETRY_AFTER_MS, sweepNow } from './undo-timer.ts';

export interface UndoResult {
  readonly outcome: 'undone' | 'completed' | 'nothing';
  /** What was left alone, because somebody else has changed it. */
  readonly notes: readonly string[];
}

/**
 * Ends what an earlier run has begun: undoes it, unless it was committed already.
 * @throws {SetupError} `busy` while that run, or another one, is at work; when it went wrong, what becomes of it
 */
export function rollback(options: UndoOptions, dependencies: SetupDependencies): Promise<UndoResult> {
  return withLock(dependencies, async () => {
    const { unwell, ...result } = await endUnfinished(options, dependencies);
    if (unwell) throw asItWasButUnwell(unwell);
    return result;
  });
}

/** The same for a run that has the lock: whoever has begun it is dead. */
export async function endUnfinished(
  options: UndoOptions,
  dependencies: SetupDependencies,
): Promise<UndoResult & Pick<Undone, 'unwell'>> {
  const { journal } = dependencies;
  const pending = await journal.pending();
  if (!pending) {
    await journal.sweep();
    // A reboot has forgotten the timer.
    if (!options.boot) await sweepNow(dependencies);
    return { outcome: 'nothing', notes: [], unwell: undefined };
  }
  const undone = await orTryAgain(pending, options.timing, dependencies, async () =>
    (await journal.decide(pending.id, 'undo')) === 'undo' ? undo(pending, options, dependencies) : undefined,
  );
  if (!undone) {
    await complete(pending, dependencies).catch(async (cause: unknown) => {
      await hostTriesAgain(pending, options.timing, dependencies);
      throw unwritten(cause);
    });
  }
  await journal.sweep();
  if (!options.boot) await disarmUndoTimer(dependencies);
  return undone ? { outcome: 'undone', ...undone } : { outcome: 'completed', notes: [], unwell: undefined };
}

function unwritten(cause: unknown): SetupError {
  return new SetupError(
    'unwritten',
    `the last run has done what it was asked for, and this can't be written down: ${reasonOf(cause)}`,
    { cause },
  );
}

/** Where it goes wrong, the host does it later. */
export async function orTryAgain<T>(
  entry: JournalEntry,
  timing: SetupTiming,
  dependencies: SetupDependencies,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const next = (await hostTriesAgain(entry, timing, dependencies))
      ? `the host tries again every ${RETRY_AFTER_MS / 60_000} minutes, from when its timer is due`
      : 'run drp node rollback when that is put right';
    const code = cause instanceof SetupError ? cause.code : 'failed';
    throw new SetupError(code, `putting it back went wrong, ${next}: ${reasonOf(cause)}`, { cause });
  }
}

export function asItWasButUnwell(unwell: SetupError): SetupError {
  return new SetupError(unwell.code, `the node is as it was, but ${unwell.message}`, { cause: unwell });
}

async function hostTriesAgain(
  { next, previous }: JournalEntry,
  timing: SetupTiming,
  dependencies: SetupDependencies,
): Promise<boolean> {
  const program = next?.program ?? previous?.program ?? [];
  try {
    await armUndoTimer(program, { ...timing, undoAfterMs: RETRY_AFTER_MS }, undefined, dependencies);
    return true;
  } catch (error) {
    return error instanceof SetupError && error.code === 'busy';
  }
}
