import { waitUntilHealthy } from './health/index.ts';
import { ABSENT, sameContent, sameEntry } from './host/index.ts';
import type { JournalEntry } from './journal/index.ts';
import { healthPort } from './live-state.ts';
import { type Change, FLAGS_VARIABLE, isOurPath } from './plan/index.ts';
import { readKubeletConfig, readLiveKubelet } from './platform/index.ts';
import { reloadUnits, restartService, stopService } from './service-control.ts';
import type { SetupDependencies, SetupTiming } from './setup.ts';

export interface UndoOptions {
  readonly timing: SetupTiming;
  /** Before kubelet was started: it will find everything as it was, so nothing is restarted. */
  readonly boot: boolean;
}

const RUNTIME_FOLDER = '/run/drp';

/**
 * Puts everything back as the journal says it was, kubelet first. May be repeated after it was killed itself.
 * @returns what was left alone, because somebody else has changed it
 * @throws {SetupError} `unhealthy` when kubelet is not well afterwards; all files are back nevertheless
 */
export async function undo(
  entry: JournalEntry,
  options: UndoOptions,
  dependencies: SetupDependencies,
): Promise<readonly string[]> {
  const { journal } = dependencies;
  const phase = (name: Change['phase']) => entry.changes.filter((change) => change.phase === name).reverse();
  const notes: string[] = [];
  let problem: unknown;

  // An earlier version of the service comes back before kubelet asks for it again.
  if (entry.previous && entry.kind === 'install') {
    notes.push(...(await putBack(phase('service'), dependencies)));
    await reloadUnits(dependencies);
    if (!options.boot) await restartService(dependencies, phase('service'));
  }
  notes.push(...(await putBack(phase('kubelet'), dependencies)));
  const kept = entry.kind === 'install' ? (entry.previous?.guardFiles ?? []) : [];
  const guardFiles = entry.guardFiles.filter((path) => !kept.includes(path));
  for (const path of guardFiles) await putBackFile(path, dependencies);
  await reloadUnits(dependencies);
  if (!options.boot) {
    try {
      await restartKubelet(entry, guardFiles, options.timing, dependencies);
    } catch (error) {
      // What was there before us is back. If it is not well, it is not for want of us.
      problem = error;
    }
  }
  if (!entry.previous || entry.kind === 'uninstall') {
    if (problem !== undefined && entry.kind === 'uninstall') throw problem;
    await stopService(dependencies);
    notes.push(...(await putBack(phase('service'), dependencies)));
    await reloadUnits(dependencies);
    await dependencies.files.put(RUNTIME_FOLDER, ABSENT).catch(() => undefined);
  }
  await dependencies.progress({ name: 'forget journal', subject: entry.id });
  await journal.finish(entry, entry.kind === 'install' ? entry.previous : undefined);
  // The program last: as long as there is a journal, somebody may need it. Dead from here on, the host sweeps it away.
  const keptCopies = entry.kind === 'install' ? (entry.previous?.copies ?? []) : [];
  await removeCopies(
    entry.copies.filter((path) => !keptCopies.includes(path)),
    dependencies,
  );
  await removeFolders(phase('service'), dependencies);
  if (problem !== undefined) throw problem;
  return notes;
}

async function putBack(changes: readonly Change[], dependencies: SetupDependencies): Promise<string[]> {
  const { files, progress } = dependencies;
  const notes: string[] = [];
  for (const { path, before, after } of changes) {
    await files.removeLeftovers(path);
    const current = await files.snapshot(path);
    if (sameEntry(current, before)) continue;
    const isOurs = sameContent(current, after) || (before.type === 'absent' && isOurPath(path));
    if (isOurs) {
      await progress({ name: 'put back file', subject: path });
      await files.put(path, before);
    } else {
      const marked = current.type === 'file' && current.content.includes(FLAGS_VARIABLE);
      notes.push(
        marked
          ? `${path} was changed by somebody else, and still names ${FLAGS_VARIABLE}: take that out by hand`
          : `${path} was changed by somebody else, and stays as it is`,
      );
    }
  }
  return notes;
}

async function putBackFile(path: string, { files, progress }: SetupDependencies): Promise<void> {
  await files.removeLeftovers(path);
  if (!(await files.exists(path))) return;
  await progress({ name: 'put back file', subject: path });
  await files.put(path, ABSENT);
}

/** Folders that still held a program of ours when the files were put back. */
async function removeFolders(changes: readonly Change[], { files }: SetupDependencies): Promise<void> {
  for (const { path, before, after } of changes) {
    if (before.type === 'absent' && after.type === 'folder') await files.put(path, ABSENT);
  }
}

async function removeCopies(paths: readonly string[], { files }: SetupDependencies): Promise<void> {
  for (const path of paths) {
    await files.removeLeftovers(path);
    await files.put(path, ABSENT);
  }
}

/** Only when it may have seen what was undone. */
async function restartKubelet(
  entry: JournalEntry,
  guardFiles: readonly string[],
  timing: SetupTiming,
  dependencies: SetupDependencies,
): Promise<void> {
  const { systemd, journal, progress, clock, healthz, files } = dependencies;
  const { kubeletUnit, id } = entry;
  const { mainPid } = await systemd.unit(kubeletUnit);
  const hasSeen = mainPid !== entry.mainPid || (await journal.restartWasMarked(id)) || entry.restartKubelet;
  if (!hasSeen) return;
  await journal.markRestart(id);
  await progress({ name: 'restart kubelet', subject: kubeletUnit });
  await systemd.resetFailed(kubeletUnit);
  await systemd.restart(kubeletUnit);
  // A guard that was at work when its kubelet was stopped may have decided meanwhile; the new kubelet has none.
  const decidedLate = await anyExists(guardFiles, files);
  for (const path of guardFiles) await putBackFile(path, dependencies);
  if (decidedLate) await systemd.restart(kubeletUnit);
  await progress({ name: 'check health', subject: kubeletUnit });
  const kubelet = await readLiveKubelet(kubeletUnit, systemd, files);
  const port = healthPort(kubelet, await readKubeletConfig(kubelet.flags, files).catch(() => undefined));
  await waitUntilHealthy(
    kubeletUnit,
    timing,
    { systemd, clock, healthz: () => healthz(port) },
    new AbortController().signal,
  );
}

async function anyExists(paths: readonly string[], files: SetupDependencies['files']): Promise<boolean> {
  for (const path of paths) if (await files.exists(path)) return true;
  return false;
}
