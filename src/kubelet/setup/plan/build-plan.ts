import { dirname, join } from 'node:path/posix';
import { SetupError } from '../errors.ts';
import { type FileEntry, type HostFiles, rootFile, rootFolder, sameEntry } from '../host/index.ts';
import {
  type Backend,
  detectPlatform,
  type EndpointInUse,
  endpointInUse,
  findBackend,
  findExecutableFolder,
  type KubeletConfig,
  type LiveKubelet,
  type Platform,
  readKubeletConfig,
} from '../platform/index.ts';
import { chooseStrategy, decisionInConfigFolder } from './choose-strategy.ts';
import { wireKubelet } from './kubelet-changes.ts';
import { requireLiveCommand } from './live-command.ts';
import { endpointOf, RECOVER_UNIT, SERVICE_UNIT, SOCKET_UNIT, STATE_FOLDER, UNIT_FOLDER } from './names.ts';
import type { InstallOptions, Strategy } from './options.ts';
import { filesWithoutUs, pristineEntry } from './pristine-files.ts';
import { type ProgramDependencies, programIsIntact, programName } from './program.ts';
import { type Change, entryWithoutUs, type InstalledRecord } from './record.ts';
import { requireRestorable } from './restorable.ts';
import { requireRunningAsLoaded } from './running-command.ts';
import { serviceConfig } from './service-config.ts';
import { recoverUnit, serviceUnit, socketUnit, symlinkForBoot, type UnitSettings } from './units.ts';

/** A program to be copied to the host. */
export interface Copy {
  readonly source: string;
  readonly path: string;
  readonly sha256: string;
  /** Whether it is in use already, and is gone or was changed. */
  readonly replaces: boolean;
}

/** All that an installation will do. */
export interface Plan {
  readonly platform: Platform;
  readonly strategy: Strategy;
  readonly backend: Backend;
  readonly copy: Copy | undefined;
  /** In the order in which they are made. */
  readonly changes: readonly Change[];
  readonly restartService: boolean;
  readonly restartKubelet: boolean;
  /** Why kubelet has to be restarted. */
  readonly reason: string | undefined;
  /** What is installed when all is done. */
  readonly record: InstalledRecord;
}

/** Whether all is as it should be already. */
export function changesNothing({ changes, copy, restartKubelet }: Plan): boolean {
  return changes.length === 0 && !copy && !restartKubelet;
}

export interface PlanDependencies extends ProgramDependencies {
  /** Kubelet's own answer about its configuration; undefined where it can't be asked. */
  readonly configz: () => Promise<KubeletConfig | undefined>;
}

type Entries = (readonly [path: string, entry: FileEntry])[];

/**
 * Decides what to do, and changes nothing.
 * @param record what is installed now
 * @throws {SetupError | UnitFileError} when something is not understood or must not be touched
 */
export async function buildPlan(
  options: InstallOptions,
  kubelet: LiveKubelet,
  record: InstalledRecord | undefined,
  { files, fileHash, configz }: PlanDependencies,
): Promise<Plan> {
  if (kubelet.state.needDaemonReload) {
    throw new SetupError(
      'refused',
      `files of ${kubelet.unit} were changed since systemd has read them: systemctl daemon-reload, restart kubelet, ` +
        'and see that it is well first',
    );
  }
  requireLiveCommand(kubelet);
  const endpoint = endpointOf(options.socket);
  const ours = record ? [endpoint, endpointOf(record.socket)] : [endpoint];
  const strategy = await chooseStrategy(options.strategy ?? record?.strategy, kubelet.flags, ours, files);
  const config = await readKubeletConfig(kubelet.flags, files, decisionInConfigFolder(kubelet.flags));
  const backend = await findBackend(kubelet.flags, config, ours, files);
  const pristine = await filesWithoutUs(kubelet, record, files);

  const { words, copy, folders } = await placeProgram(options, record, { files, fileHash });
  const settings: UnitSettings = {
    program: words,
    socket: options.socket,
    configFile: options.configFile,
    kubeletUnit: options.kubeletUnit,
    journalFile: join(STATE_FOLDER, 'journal.json'),
    notifies: await hasNotifyProgram(files),
  };
  const wiring = await wireKubelet(strategy, kubelet, pristine, settings, { record, files });
  await requireFreeGuardFile(wiring.guardFiles, record, files);
  const wanted = {
    service: [...folders, ...(await serviceEntries(settings, options, backend, files))],
    kubelet: [...wiring.entries],
  };

  const { changes, all } = await compare(wanted, record, files);
  await requireRestorable(changes, record, files);
  const next: InstalledRecord = {
    version: 1,
    strategy,
    kubeletUnit: options.kubeletUnit,
    socket: options.socket,
    configFile: options.configFile,
    program: words,
    copies: copy ? [copy.path] : [],
    guardFiles: wiring.guardFiles,
    shadowed: wiring.shadowed,
    folders: record?.folders ?? [],
    changes: all,
  };
  const needed = copy && (await programIsIntact(copy.path, { files, fileHash })) ? undefined : copy;
  const inUse = record && (await endpointInUse(kubelet, files, await configz()));
  const reason = restartReason(record, next, changes, inUse);
  if (reason !== undefined) await requireRunningAsLoaded(kubelet, files);
  return {
    platform: await detectPlatform(kubelet, files),
    strategy,
    backend,
    copy: needed,
    changes,
    restartService: needed?.replaces === true || changes.some(({ phase }) => phase === 'service'),
    restartKubelet: reason !== undefined,
    reason,
    record: next,
  };
}

async function placeProgram(
  { program }: InstallOptions,
  record: InstalledRecord | undefined,
  { files, fileHash }: ProgramDependencies,
): Promise<{ words: readonly string[]; copy: Copy | undefined; folders: Entries }> {
  if (program.type === 'in-place') return { words: program.words, copy: undefined, folders: [] };
  const folder = await findExecutableFolder(files, program.folder);
  const sha256 = await fileHash(program.source);
  const path = join(folder, programName(sha256));
  const replaces = record?.copies.includes(path) === true;
  return {
    words: [path],
    copy: { source: program.source, path, sha256, replaces },
    folders: foldersAbove(path),
  };
}

/** All folders that lead to a path, the outermost first; those that are there are no change. */
function foldersAbove(path: string): Entries {
  const folders: string[] = [];
  for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) folders.unshift(folder);
  return folders.map((folder) => [folder, rootFolder()] as const);
}

/** As the image service finds it. */
async function hasNotifyProgram(files: HostFiles): Promise<boolean> {
  for (const path of ['/usr/bin/systemd-notify', '/bin/systemd-notify']) {
    if (await files.exists(path)) return true;
  }
  return false;
}

async function serviceEntries(
  settings: UnitSettings,
  { socket, configFile, configText }: InstallOptions,
  backend: Backend,
  files: HostFiles,
): Promise<Entries> {
  const boot = symlinkForBoot();
  const text = serviceConfig(configText ?? (await files.readText(configFile)), socket, backend);
  return [
    [join(UNIT_FOLDER, RECOVER_UNIT), rootFile(recoverUnit(settings))],
    [join(UNIT_FOLDER, boot.folder), rootFolder()],
    [join(UNIT_FOLDER, boot.folder, boot.name), { type: 'link', target: join(UNIT_FOLDER, RECOVER_UNIT) }],
    ...foldersAbove(dirname(configFile)),
    // It may name secrets that lie beside it.
    [dirname(configFile), rootFolder(0o700)],
    [configFile, rootFile(text, 0o600)],
    [join(UNIT_FOLDER, SOCKET_UNIT), rootFile(socketUnit(settings))],
    [join(UNIT_FOLDER, SERVICE_UNIT), rootFile(serviceUnit(settings))],
  ];
}

/** Only what differs is a change. What an earlier installation has changed, and this one does not want, is put back. */
async function compare(
  wanted: Readonly<Record<Change['phase'], Entries>>,
  record: InstalledRecord | undefined,
  files: HostFiles,
): Promise<{ changes: Change[]; all: Change[] }> {
  const changes: Change[] = [];
  const all: Change[] = [];
  const paths = new Set(Object.values(wanted).flatMap((entries) => entries.map(([path]) => path)));
  for (const phase of ['service', 'kubelet'] as const) {
    for (const [path, after] of wanted[phase]) {
      const current = await files.snapshot(path);
      if (!sameEntry(current, after)) changes.push({ path, phase, before: current, after });
      const before = pristineEntry(path, current, record);
      if (!sameEntry(before, after)) all.push({ path, phase, before, after });
    }
    for (const old of record?.changes.filter((change) => change.phase === phase).reverse() ?? []) {
      if (paths.has(old.path)) continue;
      const current = await files.snapshot(old.path);
      const after = entryWithoutUs(old.path, current, record);
      if (!sameEntry(current, after)) changes.push({ path: old.path, phase, before: current, after });
    }
  }
  return { changes, all };
}

async function requireFreeGuardFile(
  guardFiles: readonly string[],
  record: InstalledRecord | undefined,
  files: HostFiles,
): Promise<void> {
  for (const path of guardFiles) {
    if (record?.guardFiles.includes(path) || path.startsWith('/run/')) continue;
    if (await files.exists(path)) {
      throw new SetupError('refused', `${path} is there already, and not from us: remove it first`);
    }
  }
}

function restartReason(
  record: InstalledRecord | undefined,
  next: InstalledRecord,
  changes: readonly Change[],
  inUse: EndpointInUse | undefined,
): string | undefined {
  if (!record) return 'kubelet does not use the image service yet';
  if (record.strategy !== next.strategy || record.socket !== next.socket)
    return 'kubelet is wired in another way';
  if (inUse?.source === 'unknown') return 'files that kubelet reads were changed since it was started';
  if (inUse?.endpoint !== endpointOf(next.socket))
    return 'the running kubelet does not use the image service';
  const touched = changes.filter(({ phase, after }) => phase === 'kubelet' && after.type === 'file');
  return touched.some((change) => commandOf(change.before) !== commandOf(change.after))
    ? "kubelet's own command has changed"
    : undefined;
}

/** The lines that make kubelet's command; a guard with another program needs no restart. */
function commandOf(entry: FileEntry): string {
  if (entry.type !== 'file') return '';
  const relevant = /^(?:ExecStart|EnvironmentFile|Environment)=/;
  return entry.content
    .toString('utf8')
    .split('\n')
    .filter((line) => relevant.test(line))
    .join('\n');
}
