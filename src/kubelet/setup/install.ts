import { complete } from './complete.ts';
import { reasonOf, SetupError } from './errors.ts';
import { compareAnswers, waitUntilHealthy } from './health/index.ts';
import { ABSENT } from './host/index.ts';
import type { Journal, JournalEntry } from './journal/index.ts';
import { healthPort } from './live-state.ts';
import { withLock } from './lock.ts';
import {
  buildPlan,
  type Change,
  changesNothing,
  endpointOf,
  formerGuardFiles,
  type InstallOptions,
  type Plan,
} from './plan/index.ts';
import { endpointInUse, type LiveKubelet, readKubeletConfig, readLiveKubelet } from './platform/index.ts';
import { asItWasButUnwell, endUnfinished } from './rollback.ts';
import { reloadUnits, restartService } from './service-control.ts';
import { leastUndoAfterMs, longestUndoMs, type SetupDependencies, type SetupTiming } from './setup.ts';
import { tryProgram } from './try-program.ts';
import { armUndoTimer, disarmUndoTimer, undoTimerIsArmed, unfinished } from './undo-timer.ts';

/** On a busy node an answer may come late once. */
const HEALTH_LOOKS = 3;

export interface InstallResult {
  /** `unchanged`: all was as it should be, and nothing was touched. */
  readonly outcome: 'installed' | 'unchanged';
  readonly plan: Plan;
}

/** Throws where the run has to stop before it changes more. */
type MayGoOn = () => Promise<void>;

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
  if (timing.undoAfterMs < leastUndoAfterMs(timing)) {
    throw new SetupError('refused', `the host would undo it too soon: in ${timing.undoAfterMs / 1000} s`);
  }
  return withLock(dependencies, async () => {
    await endEarlierRun(timing, dependencies);
    const { journal, systemd, files } = dependencies;
    const kubelet = await readLiveKubelet(options.kubeletUnit, systemd, files);
    const plan = await buildPlan(options, kubelet, await journal.installed(), dependencies);
    if (changesNothing(plan)) {
      await compare(plan, dependencies, signal);
      return { outcome: 'unchanged', plan };
    }
    await requireProgram(plan, dependencies);
    await requireHealthy(kubelet, dependencies);
    await apply(plan, kubelet, timing, dependencies, signal);
    return { outcome: 'installed', plan };
  });
}

async function apply(
  plan: Plan,
  kubelet: LiveKubelet,
  timing: SetupTiming,
  dependencies: SetupDependencies,
  signal: AbortSignal,
): Promise<void> {
  const { journal, progress } = dependencies;
  const copied = plan.copy && {
    path: plan.copy.path,
    folders: programFolders(plan).map(({ path }) => path),
  };
  await armUndoTimer(plan.record.program, timing, copied, dependencies);
  // We give up so early that all is undone when the host comes.
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timing.undoAfterMs - longestUndoMs(timing))]);
  let entry: JournalEntry | undefined;
  try {
    await placeProgram(plan, dependencies, async () => limit.throwIfAborted());
    entry = await begin(plan, kubelet, dependencies);
    const mayGoOn = goingOn(entry, journal, limit);
    await applyService(plan, dependencies, limit, mayGoOn);
    await applyKubelet(plan, entry, timing, dependencies, limit, mayGoOn);
    await progress({ name: 'commit', subject: entry.id });
    await mayGoOn();
    if ((await journal.decide(entry.id, 'commit')) === 'undo') throw undoneByOthers();
  } catch (error) {
    await giveUp(plan, entry, error, timing, dependencies);
    return;
  }
  await finish(entry, timing, dependencies);
}

/** What an earlier run has left is ended first, unless the host is about to do that. */
async function endEarlierRun(timing: SetupTiming, dependencies: SetupDependencies): Promise<void> {
  const { journal } = dependencies;
  const pending = await journal.pending();
  if (!pending) return;
  const isCommitted = (await journal.decision(pending.id)) === 'commit';
  if (!isCommitted && (await undoTimerIsArmed(dependencies))) throw unfinished();
  const { unwell } = await endUnfinished({ timing, boot: false }, dependencies);
  if (unwell) throw asItWasButUnwell(unwell);
}

/** The lock keeps others away; should it be lost, what they have decided counts. */
function goingOn({ id }: JournalEntry, journal: Journal, limit: AbortSignal): MayGoOn {
  return async () => {
    limit.throwIfAborted();
    if (!(await journal.isOpen(id))) throw undoneByOthers();
  };
}

function undoneByOthers(): SetupError {
  return new SetupError('failed', 'another run has undone it meanwhile');
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
async function placeProgram(plan: Plan, dependencies: SetupDependencies, mayGoOn: MayGoOn): Promise<void> {
  if (plan.copy) {
    const { source, path, sha256 } = plan.copy;
    await applyChanges(programFolders(plan), dependencies, mayGoOn);
    await dependencies.progress({ name: 'copy program', subject: path });
    await dependencies.files.copyIn(source, path, sha256);
  }
  // One may lie there of a run of which nothing else is left.
  const known = (await dependencies.journal.installed())?.copies ?? [];
  const untried = plan.record.copies.filter((path) => path === plan.copy?.path || !known.includes(path));
  for (const path of untried) await tryProgram(path, dependencies);
}

/** The folders that are made for the program, the outermost first. */
function programFolders({ copy, changes }: Plan): readonly Change[] {
  return changes.filter(({ path }) => copy?.path.startsWith(`${path}/`));
}

async function removeProgram(plan: Plan, { files }: SetupDependencies): Promise<void> {
  if (!plan.copy) return;
  await files.removeLeftovers(plan.copy.path);
  if (plan.copy.replaces) return;
  await files.put(plan.copy.path, ABSENT);
  for (const { path } of [...programFolders(plan)].reverse()) await files.put(path, ABSENT);
}

async function applyService(
  plan: Plan,
  dependencies: SetupDependencies,
  signal: AbortSignal,
  mayGoOn: MayGoOn,
): Promise<void> {
  const changes = plan.changes.filter(({ phase }) => phase === 'service');
  const placed = programFolders(plan);
  await applyChanges(
    changes.filter((change) => !placed.includes(change)),
    dependencies,
    mayGoOn,
  );
  if (plan.restartService) {
    await mayGoOn();
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
  mayGoOn: MayGoOn,
): Promise<void> {
  const { systemd, files, journal, progress, healthz, clock } = dependencies;
  const { kubeletUnit } = plan.record;
  const changes = plan.changes.filter(({ phase }) => phase === 'kubelet');
  await applyChanges(changes, dependencies, mayGoOn);
  if (changes.length > 0) {
    await reloadUnits(dependencies);
    if ((await systemd.unit(kubeletUnit)).needDaemonReload) {
      throw new SetupError('failed', `systemd has not read the new files of ${kubeletUnit}`);
    }
  }
  if (plan.restartKubelet) {
    await progress({ name: 'restart kubelet', subject: kubeletUnit });
    await mayGoOn();
    await journal.markRestart(entry.id);
    const decisions = formerGuardFiles(entry.previous, plan.record);
    for (const path of decisions) await files.put(path, ABSENT);
    await systemd.restart(kubeletUnit);
    // A guard that was at work when its kubelet was stopped may have decided once more.
    for (const path of decisions) await files.put(path, ABSENT);
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
  mayGoOn: MayGoOn,
): Promise<void> {
  for (const { path, before, after } of changes) {
    await progress({ name: 'change file', subject: path });
    await mayGoOn();
    if (before.type === 'file') await files.keep(path);
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
  const { endpoint } = await endpointInUse(kubelet, files, await configz());
  if (endpoint === endpointOf(plan.record.socket)) return;
  throw new SetupError(
    'unhealthy',
    `kubelet runs, but uses ${endpoint ?? 'no image service'}: the guard found none; see journalctl -u ${kubelet.unit}`,
  );
}

/** It is committed: whatever happens here, kubelet uses us. */
async function finish(
  entry: JournalEntry,
  timing: SetupTiming,
  dependencies: SetupDependencies,
): Promise<void> {
  try {
    await complete(entry, dependencies);
  } catch (cause) {
    const minutes = Math.ceil(timing.undoAfterMs / 60_000);
    throw new SetupError(
      'unwritten',
      'kubelet uses the image service and is well, but this could not be written down; the host tries that again ' +
        `within ${minutes} minutes, or run drp node rollback: ${reasonOf(cause)}`,
      { cause },
    );
  }
  await disarmUndoTimer(dependencies);
}

async function giveUp(
  plan: Plan,
  entry: JournalEntry | undefined,
  cause: unknown,
  timing: SetupTiming,
  dependencies: SetupDependencies,
): Promise<void> {
  const fail = (what: string, error = cause): never => {
    const code = error instanceof SetupError ? error.code : 'failed';
    throw new SetupError(code, `${reasonOf(cause)}; ${what}`, { cause: error });
  };
  const { journal } = dependencies;
  const pending = await journal.pending();
  if (pending && pending.id !== entry?.id) fail('another run is at work on this node, and has the say');
  if (!pending) {
    try {
      if (!entry) await removeProgram(plan, dependencies);
      await journal.sweep();
    } catch (error) {
      fail(`what was copied is removed by the host later: ${reasonOf(error)}`, error);
    }
    await disarmUndoTimer(dependencies);
    fail('the node is as it was');
  }
  const { outcome, unwell } = await endUnfinished({ timing, boot: false }, dependencies).catch(
    (error: unknown) => fail(reasonOf(error), error),
  );
  if (outcome === 'completed') return;
  fail(unwell ? asItWasButUnwell(unwell).message : 'the node is as it was');
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
  const isUp = kubelet.state.activeState === 'active' && kubelet.args.length > 0;
  for (let look = 0; isUp && look < HEALTH_LOOKS; look += 1) {
    if (await healthz(port)) return;
  }
  throw new SetupError(
    'unhealthy',
    `${kubelet.unit} is not well (127.0.0.1:${port}/healthz) before anything was changed: put that right first`,
  );
}
