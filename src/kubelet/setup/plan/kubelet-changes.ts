import { basename, dirname, join } from 'node:path/posix';
import { SetupError } from '../errors.ts';
import { type FileEntry, type HostFiles, type PlainFile, rootFile, rootFolder } from '../host/index.ts';
import type { LiveKubelet } from '../platform/index.ts';
import {
  type Assignment,
  commandInForce,
  type InForce,
  type NamedUnitFile,
  parseUnitFile,
  splitCommandLine,
  type UnitFile,
} from '../unit-file/index.ts';
import { decisionInConfigFolder } from './choose-strategy.ts';
import { clearsOurLists, guardIsInForce } from './guard-in-force.ts';
import {
  DROP_IN_NAMES,
  ENVIRONMENT_FILE,
  FILE_HEADER,
  FLAGS_VARIABLE,
  ORIGINAL_SUFFIX,
  STATE_FOLDER,
  UNIT_FOLDER,
} from './names.ts';
import type { Strategy } from './options.ts';
import { fileWithoutUs } from './pristine-files.ts';
import type { InstalledRecord } from './record.ts';
import {
  ENVIRONMENT_LINE,
  guardLines,
  kubeletUnitLines,
  lines,
  type UnitSettings,
  withFlags,
} from './units.ts';

/** What is to be where, for kubelet to use us. */
export interface KubeletWiring {
  readonly entries: readonly (readonly [path: string, entry: FileEntry])[];
  readonly guardFiles: readonly string[];
  readonly shadowed: Readonly<Record<string, string>>;
  /** The command that the wiring restates; undefined where it leaves the command alone. */
  readonly command: string | undefined;
}

/** What stands in a text for bytes that are no UTF-8. */
const NO_CHARACTER = '\ufffd';

export async function wireKubelet(
  strategy: Strategy,
  kubelet: LiveKubelet,
  pristine: readonly NamedUnitFile[],
  settings: UnitSettings,
  { record, files }: { readonly record: InstalledRecord | undefined; readonly files: HostFiles },
): Promise<KubeletWiring> {
  const remove = (await files.exists('/bin/rm')) ? '/bin/rm' : '/usr/bin/rm';
  switch (strategy) {
    case 'config-dir':
      return configFolderWiring(kubelet, pristine, settings, remove);
    case 'drop-in':
      return dropInWiring(kubelet, pristine, settings, remove);
    case 'unit':
      return unitWiring(pristine, settings, remove, (path) => fileWithoutUs(path, record, files));
  }
}

/** The command stays as it is, so whatever rewrites it later is no concern of ours. */
function configFolderWiring(
  kubelet: LiveKubelet,
  pristine: readonly NamedUnitFile[],
  settings: UnitSettings,
  remove: string,
): KubeletWiring {
  const file = decisionInConfigFolder(kubelet.flags);
  if (file === undefined) {
    throw new SetupError('refused', 'this kubelet runs without --config-dir: use --strategy drop-in');
  }
  const text = lines([
    FILE_HEADER,
    '[Unit]',
    ...kubeletUnitLines(),
    '',
    '[Service]',
    ...guardLines(settings, remove, ['--kubelet-config', file]),
  ]);
  return {
    entries: dropInEntries(kubelet, dropInPath(kubelet, pristine), text),
    guardFiles: [file],
    shadowed: {},
    command: undefined,
  };
}

function dropInWiring(
  kubelet: LiveKubelet,
  pristine: readonly NamedUnitFile[],
  settings: UnitSettings,
  remove: string,
): KubeletWiring {
  const { assignment } = commandOfKubelet(pristine);
  const text = lines([
    FILE_HEADER,
    '[Unit]',
    ...kubeletUnitLines(),
    '',
    '[Service]',
    ...guardLines(settings, remove, ['--environment-file', ENVIRONMENT_FILE]),
    ENVIRONMENT_LINE,
    'ExecStart=',
    `ExecStart=${withFlags(assignment.value)}`,
  ]);
  return {
    entries: dropInEntries(kubelet, dropInPath(kubelet, pristine), text),
    guardFiles: [ENVIRONMENT_FILE],
    shadowed: {},
    command: assignment.value,
  };
}

/** Changes the file that has the command, or makes a changed copy in `/etc` where systemd looks first. */
async function unitWiring(
  pristine: readonly NamedUnitFile[],
  settings: UnitSettings,
  remove: string,
  fileAt: (path: string) => Promise<PlainFile>,
): Promise<KubeletWiring> {
  const found = commandOfKubelet(pristine);
  const { assignment, path } = found;
  const theirs = await fileAt(path);
  requireSameBytes(found, theirs);
  const added = [...guardLines(settings, remove, ['--environment-file', ENVIRONMENT_FILE]), ENVIRONMENT_LINE];
  const flagged = found.file.append(assignment, withFlags(''));
  const changed = flagged
    .insertAfter(sameAssignment(flagged, assignment), added)
    .insertInSection('Unit', kubeletUnitLines());
  const after = pristine.map((file) => (file.path === path ? { path, text: changed.toString() } : file));
  if (!guardIsInForce(after, ENVIRONMENT_FILE)) {
    throw new SetupError(
      'refused',
      `${(pristine.findLast(clearsOurLists) ?? found).path} clears ExecStartPre= or EnvironmentFile=, ` +
        'and our guard would go with that: use --strategy drop-in',
    );
  }
  const target = placeInEtc(path);
  const original = join(STATE_FOLDER, `${basename(path)}${ORIGINAL_SUFFIX}`);
  return {
    entries: [
      [original, rootFile(theirs.content, theirs.mode)],
      ...parents(target).map((folder) => [folder, rootFolder()] as const),
      [target, { ...theirs, content: Buffer.from(changed.toString()), modifiedMs: undefined }],
    ],
    guardFiles: [ENVIRONMENT_FILE],
    shadowed: target === path ? {} : { [target]: path },
    command: assignment.value,
  };
}

/**
 * The command of the unit files, checked against what systemd says.
 * @throws {SetupError} when it does not run kubelet itself, so that a flag at its end would go elsewhere
 */
function commandOfKubelet(pristine: readonly NamedUnitFile[]): InForce {
  const found = commandInForce(pristine);
  const { prefix, words } = splitCommandLine(found.assignment.value);
  if (/[@:]/.test(prefix)) {
    throw new SetupError('refused', `${found.path}: ExecStart=${prefix} is not understood`);
  }
  const [program = ''] = words;
  if (basename(program) !== 'kubelet') {
    throw new SetupError(
      'refused',
      `${found.path} runs ${program}, not kubelet itself, so a flag can't be added there; --strategy config-dir may do`,
    );
  }
  if (found.assignment.value.includes(NO_CHARACTER)) {
    throw new SetupError('refused', `${found.path}: ExecStart= has bytes that are no UTF-8`);
  }
  return found;
}

/** Bytes that are no UTF-8 would become others when the text is written. */
function requireSameBytes({ path, file }: InForce, { content }: PlainFile): void {
  if (Buffer.from(file.toString()).equals(content)) return;
  throw new SetupError(
    'refused',
    `${path} has bytes that are no UTF-8, and they would be damaged: put them right, or use --strategy drop-in`,
  );
}

function dropInEntries(
  kubelet: LiveKubelet,
  path: string,
  text: string,
): readonly (readonly [string, FileEntry])[] {
  const folder = join(UNIT_FOLDER, `${kubelet.unit}.d`);
  return [
    [folder, rootFolder()],
    [path, rootFile(text)],
  ];
}

function dropInPath(kubelet: LiveKubelet, pristine: readonly NamedUnitFile[]): string {
  const names = pristine
    .slice(1)
    .filter((file) => clearsOurLists(file) || setsCommand(file))
    .map(({ path }) => basename(path));
  const taken = new Set(pristine.map(({ path }) => basename(path)));
  const name = DROP_IN_NAMES.find((mine) => !taken.has(mine) && names.every((other) => other < mine));
  if (name === undefined) {
    throw new SetupError('refused', `no drop-in of ours could come after ${names.sort().at(-1)}`);
  }
  return join(UNIT_FOLDER, `${kubelet.unit}.d`, name);
}

function setsCommand({ text }: NamedUnitFile): boolean {
  return parseUnitFile(text).assignments.some(({ key }) => key === 'ExecStart');
}

/** Appending does not move lines. */
function sameAssignment(file: UnitFile, assignment: Assignment): Assignment {
  const found = file.assignments.find(({ first }) => first === assignment.first);
  if (!found?.value.endsWith(`$${FLAGS_VARIABLE}`))
    throw new SetupError('refused', 'the command is not understood');
  return found;
}

function placeInEtc(path: string): string {
  if (path.startsWith('/etc/')) return path;
  const rest = /\/systemd\/system\/(.+)$/.exec(path)?.[1];
  if (rest === undefined) throw new SetupError('refused', `${path} is no place for a unit file that we know`);
  return join(UNIT_FOLDER, rest);
}

function parents(path: string): string[] {
  const folder = dirname(path);
  return folder === UNIT_FOLDER ? [] : [folder];
}
