import { withLock } from './lock.ts';
import { endpointOf, type InstalledRecord } from './plan/index.ts';
import { endpointInUse, readLiveKubelet } from './platform/index.ts';
import { asItWasButUnwell, endUnfinished, orTryAgain, type UndoResult } from './rollback.ts';
import type { SetupDependencies, SetupTiming } from './setup.ts';
import { undo } from './undo.ts';
import { armUndoTimer, disarmUndoTimer } from './undo-timer.ts';

/**
 * Takes everything away: kubelet goes back first and is proved well, then the service goes. If we are killed, or it goes
 * wrong, the host brings it to its end.
 * @throws {SetupError} with what was wrong, and what becomes of it
 */
export function uninstall(timing: SetupTiming, dependencies: SetupDependencies): Promise<UndoResult> {
  return withLock(dependencies, async () => {
    const { unwell, ...ended } = await endUnfinished({ timing, boot: false }, dependencies);
    if (unwell) throw asItWasButUnwell(unwell);
    const installed = await dependencies.journal.installed();
    return installed ? takeAway(installed, timing, dependencies) : ended;
  });
}

async function takeAway(
  installed: InstalledRecord,
  timing: SetupTiming,
  dependencies: SetupDependencies,
): Promise<UndoResult> {
  const { journal, progress, randomId } = dependencies;
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
  const { notes } = await orTryAgain(entry, timing, dependencies, () =>
    undo(entry, { timing, boot: false }, dependencies),
  );
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
