import { finishCommit } from './install.ts';
import type { JournalEntry } from './journal/index.ts';
import { endpointOf, type InstalledRecord } from './plan/index.ts';
import { endpointInUse, readLiveKubelet } from './platform/index.ts';
import type { SetupDependencies, SetupTiming } from './setup.ts';
import { undo } from './undo.ts';
import { armUndoTimer, busy, disarmUndoTimer, undoTimerIsArmed } from './undo-timer.ts';

export interface UndoResult {
  readonly outcome: 'undone' | 'completed' | 'nothing';
  /** What was left alone, because somebody else has changed it. */
  readonly notes: readonly string[];
}

/**
 * Takes everything away: kubelet goes back first and is proved well, then the service goes. If we are killed, the host
 * brings it to its end.
 */
export async function uninstall(timing: SetupTiming, dependencies: SetupDependencies): Promise<UndoResult> {
  const { journal, progress, randomId } = dependencies;
  if ((await journal.pending()) && (await undoTimerIsArmed(dependencies))) throw busy();
  const unfinished = await rollback({ timing, boot: false }, dependencies);
  const installed = await journal.installed();
  if (!installed) return { outcome: unfinished.outcome, notes: unfinished.notes };

  const { mainPid, inUse } = await readUse(installed, dependencies);
  await armUndoTimer(installed.program, timing, copiedProgram(installed), dependencies);
  const id = randomId();
  await progress({ name: 'begin journal', subject: id });
  const entry = await journal.begin({
    id,
    kind: 'uninstall',
    kubeletUnit: installed.kubeletUnit,
    mainPid,
    restartKubelet: inUse,
    changes: installed.changes,
    copies: installed.copies,
    guardFiles: installed.guardFiles,
    next: undefined,
    previous: installed,
  });
  const notes = await undo(entry, { timing, boot: false }, dependencies);
  await journal.sweep();
  await disarmUndoTimer(dependencies);
  return { outcome: 'undone', notes };
}

function copiedProgram({ copies: [path], changes }: InstalledRecord) {
  if (path === undefined) return undefined;
  const folders = changes.filter(
    ({ before, path: folder }) => before.type === 'absent' && path.startsWith(`${folder}/`),
  );
  return { path, folders: folders.map(({ path: folder }) => folder) };
}

/** Ends what an earlier run has begun: undoes it, unless it was committed already. */
export async function rollback(
  options: { readonly timing: SetupTiming; readonly boot: boolean },
  dependencies: SetupDependencies,
): Promise<UndoResult> {
  const { journal } = dependencies;
  const pending = await journal.pending();
  if (!pending) {
    await journal.sweep();
    await disarm(options.boot, dependencies);
    return { outcome: 'nothing', notes: [] };
  }
  const notes = await settle(pending, options, dependencies);
  await journal.sweep();
  await disarm(options.boot, dependencies);
  return notes === undefined ? { outcome: 'completed', notes: [] } : { outcome: 'undone', notes };
}

async function settle(
  entry: JournalEntry,
  options: { readonly timing: SetupTiming; readonly boot: boolean },
  dependencies: SetupDependencies,
): Promise<readonly string[] | undefined> {
  const decision = await dependencies.journal.decide(entry.id, 'undo');
  if (decision === 'undo') return undo(entry, options, dependencies);
  await finishCommit(entry, dependencies);
  return undefined;
}

/** A reboot has forgotten the timer. */
async function disarm(boot: boolean, dependencies: SetupDependencies): Promise<void> {
  if (!boot) await disarmUndoTimer(dependencies);
}

/** Files say what kubelet was told to read, not what it has read: by them alone it is not left running without us. */
async function readUse(
  { kubeletUnit, socket, strategy }: InstalledRecord,
  { systemd, files, configz }: SetupDependencies,
): Promise<{ mainPid: number; inUse: boolean }> {
  const kubelet = await readLiveKubelet(kubeletUnit, systemd, files);
  const { endpoint, source } = await endpointInUse(kubelet, files, await configz());
  const isKnown = source === 'flag' || source === 'configz' || strategy !== 'config-dir';
  return { mainPid: kubelet.state.mainPid, inUse: !isKnown || endpoint === endpointOf(socket) };
}
