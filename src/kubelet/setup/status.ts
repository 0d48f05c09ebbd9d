import { reasonOf } from './errors.ts';
import { sameEntry } from './host/index.ts';
import { healthPort } from './live-state.ts';
import {
  clearsOurLists,
  endpointOf,
  filesWithoutUs,
  guardIsInForce,
  type InstalledRecord,
  programIsIntact,
  SERVICE_UNIT,
  type Strategy,
  withFlags,
} from './plan/index.ts';
import {
  detectPlatform,
  type EndpointInUse,
  endpointInUse,
  type LiveKubelet,
  type Platform,
  readKubeletConfig,
  readLiveKubelet,
} from './platform/index.ts';
import type { SetupDependencies } from './setup.ts';
import { undoTimerIsArmed } from './undo-timer.ts';
import { commandInForce } from './unit-file/index.ts';

/**
 * How it stands.
 *
 * - `in-use`: kubelet runs with the image service, and all is well
 * - `bypassed`: installed, but the running kubelet does without; the guard has decided so when it was started
 * - `changed`: in use, but files are not as they were installed; or they were changed since kubelet was started, so that
 *   nobody can tell what it uses: install again
 * - `unhealthy`: kubelet or the service is not well
 * - `unfinished`: a run did not end
 * - `absent`: not installed
 */
export type Verdict = 'in-use' | 'bypassed' | 'changed' | 'unhealthy' | 'unfinished' | 'absent';

export interface NodeStatus {
  readonly verdict: Verdict;
  readonly platform: Platform;
  readonly kubelet: {
    readonly unit: string;
    readonly pid: number;
    readonly healthy: boolean;
    readonly restarts: number | undefined;
    readonly imageServiceEndpoint: string | undefined;
    readonly source: EndpointInUse['source'];
  };
  readonly service: {
    readonly active: boolean;
    readonly answers: boolean;
    readonly problem: string | undefined;
  };
  readonly strategy: Strategy | undefined;
  readonly program: readonly string[] | undefined;
  /** Files that are not as they were installed. */
  readonly changedFiles: readonly string[];
  /** Something was begun and is neither committed nor undone; whether the host will undo it. */
  readonly unfinished: { readonly hostWillUndo: boolean } | undefined;
}

const ANSWER_TIMEOUT_MS = 5_000;

/** Looks at what runs. Files are only compared with what was installed. */
export async function nodeStatus(
  kubeletUnit: string,
  socket: string,
  dependencies: SetupDependencies,
): Promise<NodeStatus> {
  const { systemd, files, journal, healthz, configz } = dependencies;
  const record = await journal.installed();
  const pending = await journal.pending();
  const kubelet = await readLiveKubelet(record?.kubeletUnit ?? kubeletUnit, systemd, files);
  const config = await readKubeletConfig(kubelet.flags, files).catch(() => undefined);
  const { endpoint, source } = await readEndpoint(kubelet, dependencies, await configz());
  const { activeState, restarts, mainPid } = kubelet.state;
  const healthy = activeState === 'active' && mainPid > 0 && (await healthz(healthPort(kubelet, config)));
  const service = await readService(record?.socket ?? socket, dependencies);
  const changedFiles = record
    ? [
        ...(await findChangedFiles(record, dependencies)),
        ...(await findChangedCommand(kubelet, record, dependencies)),
      ]
    : [];
  const facts = {
    installed: record !== undefined,
    unfinished: pending !== undefined,
    use: useOf(source, endpoint === endpointOf(record?.socket ?? socket)),
    healthy,
    service,
    changed: changedFiles.length > 0,
  };
  return {
    verdict: verdictOf(facts),
    platform: await detectPlatform(kubelet, files),
    kubelet: {
      unit: kubelet.unit,
      pid: mainPid,
      healthy,
      restarts,
      imageServiceEndpoint: endpoint,
      source,
    },
    service,
    strategy: record?.strategy,
    program: record?.program,
    changedFiles,
    unfinished: pending && { hostWillUndo: await undoTimerIsArmed(dependencies) },
  };
}

type Use = 'yes' | 'no' | 'unknown';

function useOf(source: EndpointInUse['source'], isOurs: boolean): Use {
  if (source === 'unknown') return 'unknown';
  return isOurs ? 'yes' : 'no';
}

function verdictOf(facts: {
  readonly installed: boolean;
  readonly unfinished: boolean;
  readonly use: Use;
  readonly healthy: boolean;
  readonly service: NodeStatus['service'];
  readonly changed: boolean;
}): Verdict {
  if (facts.unfinished) return 'unfinished';
  if (!facts.installed && facts.use !== 'yes') return 'absent';
  if (!facts.healthy || (facts.use !== 'no' && !facts.service.answers)) return 'unhealthy';
  if (facts.use === 'no') return 'bypassed';
  return facts.changed || !facts.installed || facts.use === 'unknown' ? 'changed' : 'in-use';
}

async function readEndpoint(
  kubelet: LiveKubelet,
  { files }: SetupDependencies,
  configz: Parameters<typeof endpointInUse>[2],
): Promise<EndpointInUse> {
  return endpointInUse(kubelet, files, configz).catch(() => ({
    endpoint: undefined,
    source: 'unknown' as const,
  }));
}

async function readService(
  socket: string,
  { systemd, probe }: SetupDependencies,
): Promise<NodeStatus['service']> {
  const { activeState } = await systemd.unit(SERVICE_UNIT);
  try {
    await probe.fileSystems(socket, ANSWER_TIMEOUT_MS);
    return { active: activeState === 'active', answers: true, problem: undefined };
  } catch (error) {
    return { active: activeState === 'active', answers: false, problem: reasonOf(error) };
  }
}

/** What others have put beside ours, so that kubelet would be started in another way than it was planned. */
async function findChangedCommand(
  kubelet: LiveKubelet,
  record: InstalledRecord,
  { files }: SetupDependencies,
): Promise<string[]> {
  try {
    const guarded = record.guardFiles.every((path) => guardIsInForce(kubelet.files, path));
    const clearing = guarded ? undefined : kubelet.files.findLast(clearsOurLists)?.path;
    const cleared = clearing === undefined ? [] : [clearing];
    if (record.strategy !== 'drop-in') return cleared;
    // A drop-in restates the command; one that was changed behind it since then is not the one that runs.
    const { path, assignment } = commandInForce(await filesWithoutUs(kubelet, record, files));
    const inForce = commandInForce(kubelet.files).assignment.value;
    return inForce === withFlags(assignment.value) ? cleared : [...new Set([...cleared, path])];
  } catch {
    return [kubelet.state.fragmentPath];
  }
}

async function findChangedFiles(record: InstalledRecord, dependencies: SetupDependencies): Promise<string[]> {
  const { files } = dependencies;
  const changed: string[] = [];
  for (const path of record.copies) {
    if (!(await programIsIntact(path, dependencies))) changed.push(path);
  }
  for (const path of record.copies.length > 0 ? [] : record.program) {
    if (!(await files.exists(path))) changed.push(path);
  }
  for (const { path, after } of record.changes) {
    // Its owner may change the configuration as they like.
    if (path === record.configFile) continue;
    if (!sameEntry(await files.snapshot(path), after)) changed.push(path);
  }
  return changed;
}
