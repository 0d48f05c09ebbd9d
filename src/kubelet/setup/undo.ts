import { SetupError } from './errors.ts';
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

export interface Undone {
  /** What was left alone, because somebody else has changed it. */
  readonly notes: readonly string[];
  /** What is not well although everything is as it was. */
  readonly unwell: SetupError | undefined;
}

const RUNTIME_FOLDER = '/run/drp';

/**
 * Puts everything back as the journal says it was, kubelet first. May be repeated after it was killed itself.
 * @throws when that could not be done, or when kubelet does not get well without what is uninstalled: the journal stays
 */
export async function undo(
  entry: JournalEntry,
  options: UndoOptions,
  dependencies: SetupDependencies,
): Promise<Undone> {
  const { journal, files } = dependencies;
  const phase = (name: Change['phase']) => entry.changes.filter((change) => change.phase === name).reverse();
  const previous = entry.kind === 'install' ? entry.previous : undefined;
  const notes: string[] = [];
  let unwell: SetupError | undefined;
  let failure: unknown;
  // kubelet waits neither for a file of the service nor for the service itself.
  const fail = (error: unknown): void => {
    failure ??= error;
  };
  const judge = async (work: Promise<void>): Promise<void> => {
    await work.catch((error: unknown) => {
      // What was there before us is back. If it is not well, it is not for want of us.
      if (error instanceof SetupError) unwell = error;
      else fail(error);
    });
  };

  notes.push(...(await putBack(phase('kubelet'), dependencies)));
  const guardFiles = entry.guardFiles.filter((path) => !previous?.guardFiles.includes(path));
  for (const path of guardFiles) await putBackFile(path, dependencies);
  if (previous) {
    await putBack(phase('service'), dependencies).then((more) => notes.push(...more), fail);
  }
  await reloadUnits(dependencies);
  if (!options.boot) {
    // An earlier version of the service is up again before kubelet asks for it.
    if (previous && phase('service').length > 0) await judge(restartService(dependencies, phase('service')));
    await judge(restartKubelet(entry, guardFiles, options.timing, dependencies));
  }
  if (failure !== undefined) throw failure;
  if (!previous) {
    if (unwell !== undefined && entry.kind === 'uninstall') throw unwell;
    await stopService(dependencies);
    notes.push(...(await putBack(phase('service'), dependencies)));
    await reloadUnits(dependencies);
    await files.put(RUNTIME_FOLDER, ABSENT).catch(() => undefined);
  }
  await dependencies.progress({ name: 'forget journal', subject: entry.id });
  await journal.finish(entry, previous);
  // The program last: as long as there is a journal, somebody may need it. Dead from here on, the host sweeps it away.
  await removeCopies(
    entry.copies.filter((path) => !previous?.copies.includes(path)),
    dependencies,
  );
  await removeFolders(phase('service'), dependencies);
  return { notes, unwell };
}

async function putBack(changes: readonly Change[], dependencies: SetupDependencies): Promise<string[]> {
  const { files, progress } = dependencies;
  const notes: string[] = [];
  for (const { path, before, after } of changes) {
    const current = await files.snapshot(path);
    const isBack = sameEntry(current, before);
    const isOurs = sameContent(current, after) || (before.type === 'absent' && isOurPath(path));
    if (!isBack && isOurs) {
      await progress({ name: 'put back file', subject: path });
      await files.putBack(path, before);
    } else if (!isBack) {
      const marked = current.type === 'file' && current.content.includes(FLAGS_VARIABLE);
      notes.push(
        marked
          ? `${path} was changed by somebody else, and still names ${FLAGS_VARIABLE}: take that out by hand`
          : `${path} was changed by somebody else, and stays as it is`,
      );
    }
    await files.removeLeftovers(path);
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
  // It is done all the same when there is no room for the mark.
  await journal.markRestart(id).catch(() => undefined);
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
