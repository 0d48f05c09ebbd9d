import { join } from 'node:path/posix';
import { SetupError } from './errors.ts';
import { compareAnswers, waitUntilHealthy } from './health/index.ts';
import { ABSENT } from './host/index.ts';
import type { JournalEntry } from './journal/index.ts';
import { healthPort } from './live-state.ts';
import {
  buildPlan,
  type Change,
  endpointOf,
  type InstallOptions,
  KUBELET_CONFIG_NAME,
  type Plan,
} from './plan/index.ts';
import { endpointInUse, type LiveKubelet, readKubeletConfig, readLiveKubelet } from './platform/index.ts';
import { reloadUnits, restartService } from './service-control.ts';
import type { SetupDependencies, SetupTiming } from './setup.ts';
import { tryProgram } from './try-program.ts';
import { undo } from './undo.ts';
import { armUndoTimer, busy, disarmUndoTimer, undoTimerIsArmed } from './undo-timer.ts';

export interface InstallResult {
  /** `unchanged`: all was as it should be, and nothing was touched. */
  readonly outcome: 'installed' | 'unchanged';
  readonly plan: Plan;
}

/** We give up well before the host does, so that both never work at the same time. */
const MARGIN_SHARE = 0.2;
const LARGEST_MARGIN_MS = 60_000;

/** What would be done, without doing any of it. */
export async function planInstall(options: InstallOptions, dependencies: SetupDependencies): Promise<Plan> {
  const { systemd, files, journal } = dependencies;
  const kubelet = await readLiveKubelet(options.kubeletUnit, systemd, files);
  return buildPlan(options, kubelet, await journal.installed(), dependencies);
}

/**
 * Installs the image service, or another version of it, and lets kubelet use it. Either all is done and proved well, or
 * the node is as it was: if it goes wrong, if `signal` is aborted, and if we are killed.
 * @throws {SetupError} with what was wrong; the node is as it was, unless the message says otherwise
 */
export async function install(
  options: InstallOptions,
  timing: SetupTiming,
  dependencies: SetupDependencies,
  signal: AbortSignal,
): Promise<InstallResult> {
  const { journal } = dependencies;
  await endEarlierRun(timing, dependencies);
  const kubelet = await readLiveKubelet(options.kubeletUnit, dependencies.systemd, dependencies.files);
  const plan = await buildPlan(options, kubelet, await journal.installed(), dependencies);
  if (plan.changes.length === 0 && !plan.copy && !plan.restartKubelet) {
    await compare(plan, dependencies, signal);
    return { outcome: 'unchanged', plan };
  }
  await requireProgram(plan, dependencies);
  await requireHealthy(kubelet, dependencies);

  const { program } = plan.record;
  const copied = plan.copy && {
    path: plan.copy.path,
    folders: programFolders(plan).map(({ path }) => path),
  };
  await armUndoTimer(program, timing, copied, dependencies);
  const margin = Math.min(LARGEST_MARGIN_MS, timing.undoAfterMs * MARGIN_SHARE);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timing.undoAfterMs - margin)]);
  let entry: JournalEntry | undefined;
  try {
    await placeProgram(plan, dependencies, limit);
    entry = await begin(plan, kubelet, dependencies);
    await applyService(plan, dependencies, limit);
    await applyKubelet(plan, entry, timing, dependencies, limit);
    limit.throwIfAborted();
    await commit(entry, dependencies);
  } catch (error) {
    await giveUp(plan, entry, error, timing, dependencies);
  }
  await disarmUndoTimer(dependencies);
  return { outcome: 'installed', plan };
}

/** What an earlier run has left is ended first, unless the host is about to do that. */
async function endEarlierRun(timing: SetupTiming, dependencies: SetupDependencies): Promise<void> {
  const { journal } = dependencies;
  const pending = await journal.pending();
  if (!pending) return;
  if ((await journal.decision(pending.id)) === 'commit') {
    await finishCommit(pending, dependencies);
  } else if (await undoTimerIsArmed(dependencies)) {
    throw busy();
  } else {
    await journal.decide(pending.id, 'undo');
    await undo(pending, { timing, boot: false }, dependencies);
  }
}

async function begin(
  plan: Plan,
  kubelet: LiveKubelet,
  { journal, progress, randomId }: SetupDependencies,
): Promise<JournalEntry> {
  const id = randomId();
  await progress({ name: 'begin journal', subject: id });
  return journal.begin({
    id,
    kind: 'install',
    kubeletUnit: kubelet.unit,
    mainPid: kubelet.state.mainPid,
    restartKubelet: false,
    changes: plan.changes,
    copies: plan.copy ? [plan.copy.path] : [],
    guardFiles: plan.record.guardFiles,
    next: plan.record,
    previous: await journal.installed(),
  });
}

/** Before the journal: whoever finds one needs the program to undo it. Until then, plain commands of the host do. */
async function placeProgram(plan: Plan, dependencies: SetupDependencies, signal: AbortSignal): Promise<void> {
  if (!plan.copy) return;
  const { source, path, sha256 } = plan.copy;
  await applyChanges(programFolders(plan), dependencies, signal);
  await dependencies.progress({ name: 'copy program', subject: path });
  await dependencies.files.copyIn(source, path, sha256);
  await tryProgram(path, dependencies);
}

/** The folders that are made for the program, the outermost first. */
function programFolders({ copy, changes }: Plan): readonly Change[] {
  return changes.filter(({ path }) => copy?.path.startsWith(`${path}/`));
}

async function removeProgram(plan: Plan, { files }: SetupDependencies): Promise<void> {
  if (!plan.copy) return;
  await files.removeLeftovers(plan.copy.path);
  await files.put(plan.copy.path, ABSENT);
  for (const { path } of [...programFolders(plan)].reverse()) await files.put(path, ABSENT);
}

async function applyService(plan: Plan, dependencies: SetupDependencies, signal: AbortSignal): Promise<void> {
  const changes = plan.changes.filter(({ phase }) => phase === 'service');
  const placed = programFolders(plan);
  await applyChanges(
    changes.filter((change) => !placed.includes(change)),
    dependencies,
    signal,
  );
  if (plan.restartService) {
    await reloadUnits(dependencies);
    await restartService(dependencies, changes);
  }
  await compare(plan, dependencies, signal);
}

async function applyKubelet(
  plan: Plan,
  entry: JournalEntry,
  timing: SetupTiming,
  dependencies: SetupDependencies,
  signal: AbortSignal,
): Promise<void> {
  const { systemd, files, journal, progress, healthz, clock } = dependencies;
  const { kubeletUnit } = plan.record;
  const changes = plan.changes.filter(({ phase }) => phase === 'kubelet');
  await applyChanges(changes, dependencies, signal);
  if (changes.length > 0) {
    await reloadUnits(dependencies);
    if ((await systemd.unit(kubeletUnit)).needDaemonReload) {
      throw new SetupError('failed', `systemd has not read the new files of ${kubeletUnit}`);
    }
  }
  if (plan.restartKubelet) {
    signal.throwIfAborted();
    await journal.markRestart(entry.id);
    await progress({ name: 'restart kubelet', subject: kubeletUnit });
    await systemd.restart(kubeletUnit);
  }
  await progress({ name: 'check health', subject: kubeletUnit });
  const kubelet = await readLiveKubelet(kubeletUnit, systemd, files);
  const port = healthPort(kubelet, await readKubeletConfig(kubelet.flags, files).catch(() => undefined));
  await waitUntilHealthy(kubeletUnit, timing, { systemd, clock, healthz: () => healthz(port) }, signal);
  await requireInUse(plan, dependencies);
}

async function applyChanges(
  changes: readonly Change[],
  { files, progress }: SetupDependencies,
  signal: AbortSignal,
): Promise<void> {
  for (const { path, after } of changes) {
    signal.throwIfAborted();
    await progress({ name: 'change file', subject: path });
    await files.put(path, after);
  }
}

async function compare(plan: Plan, dependencies: SetupDependencies, signal: AbortSignal): Promise<void> {
  const { probe, clock, progress } = dependencies;
  await progress({ name: 'compare answers', subject: plan.record.socket });
  await compareAnswers(probe, plan.record.socket, plan.backend, clock, signal);
}

/** A kubelet that is well, but does without us, is not what was asked for. */
async function requireInUse(plan: Plan, { systemd, files, configz }: SetupDependencies): Promise<void> {
  const kubelet = await readLiveKubelet(plan.record.kubeletUnit, systemd, files);
  const folder = kubelet.flags.last('config-dir');
  const file = folder && join(folder, KUBELET_CONFIG_NAME);
  const { endpoint } = await endpointInUse(kubelet, files, file || undefined, await configz());
  if (endpoint === endpointOf(plan.record.socket)) return;
  throw new SetupError(
    'unhealthy',
    `kubelet runs, but uses ${endpoint ?? 'no image service'}: the guard found none; see journalctl -u ${kubelet.unit}`,
  );
}

async function commit(entry: JournalEntry, dependencies: SetupDependencies): Promise<void> {
  const { journal, progress } = dependencies;
  await progress({ name: 'commit', subject: entry.id });
  if ((await journal.decide(entry.id, 'commit')) === 'undo') {
    throw new SetupError('failed', 'it took too long, and the host has undone it');
  }
  await finishCommit(entry, dependencies);
}

/** After the decision: nothing that comes here may fail the installation. */
export async function finishCommit(
  entry: JournalEntry,
  { journal, files }: SetupDependencies,
): Promise<void> {
  const old = entry.previous?.copies.filter((path) => !entry.next?.copies.includes(path)) ?? [];
  for (const path of old) await files.put(path, { type: 'absent' });
  await journal.finish(entry, entry.next);
}

async function giveUp(
  plan: Plan,
  entry: JournalEntry | undefined,
  cause: unknown,
  timing: SetupTiming,
  dependencies: SetupDependencies,
): Promise<never> {
  const reason = cause instanceof Error ? cause.message : String(cause);
  try {
    if (entry && (await dependencies.journal.decide(entry.id, 'undo')) === 'undo') {
      await undo(entry, { timing, boot: false }, dependencies);
    }
    if (!entry) await removeProgram(plan, dependencies);
    await dependencies.journal.sweep();
    await disarmUndoTimer(dependencies);
  } catch (error) {
    const undoReason = error instanceof Error ? error.message : String(error);
    throw new SetupError(
      'failed',
      `${reason}; then undoing it went wrong, the host will try again: ${undoReason}`,
      { cause: error },
    );
  }
  const code = cause instanceof SetupError ? cause.code : 'failed';
  throw new SetupError(code, `${reason}; the node is as it was`, { cause });
}

async function requireProgram(plan: Plan, { files }: SetupDependencies): Promise<void> {
  if (plan.copy) return;
  for (const word of plan.record.program) {
    if (!(await files.exists(word))) {
      throw new SetupError('refused', `the host has no ${word}: name the program with --executable`);
    }
  }
}

async function requireHealthy(kubelet: LiveKubelet, { healthz, files }: SetupDependencies): Promise<void> {
  const port = healthPort(kubelet, await readKubeletConfig(kubelet.flags, files));
  const isWell = kubelet.state.activeState === 'active' && kubelet.args.length > 0 && (await healthz(port));
  if (isWell) return;
  throw new SetupError(
    'unhealthy',
    `${kubelet.unit} is not well (127.0.0.1:${port}/healthz) before anything was changed: put that right first`,
  );
}
