import { type NamedUnitFile, settingsInForce } from './command-in-force.ts';
import { splitWords } from './command-line.ts';
import { UnitFileError } from './unit-file.ts';

/** Variables of a service. One that is not here, or has no value, can't be told from its files. */
export type Variables = ReadonlyMap<string, string | undefined>;

const NAME = '[A-Za-z_][A-Za-z0-9_]*';
const ASSIGNMENT = new RegExp(`^(${NAME})=(.*)$`, 's');
const NAMES = new RegExp(`(${NAME})=`, 'g');
const LINE = new RegExp(
  `^[ \\t]*(?:[#;].*|(${NAME})=(?:"([^"'\\\\]*)"|'([^"'\\\\]*)'|([^"'\\\\]*?))[ \\t]*)?$`,
);

/** The paths in `EnvironmentFile=`; undefined when one of them stands for more than one file. */
export function environmentFilesOf(files: readonly NamedUnitFile[]): readonly string[] | undefined {
  const paths = settingsInForce(files, 'EnvironmentFile').map(({ assignment }) =>
    assignment.value.replace(/^-/, ''),
  );
  return paths.some((path) => /[%*?[\]\\]/.test(path)) ? undefined : paths;
}

/**
 * Reads `Environment=`, and what is in the files of `EnvironmentFile=`, which win. What is written in any but the plain
 * way has no value here.
 * @param contents of those files
 * @throws {UnitFileError} when the unit files are not understood
 */
export function environmentOf(files: readonly NamedUnitFile[], contents: readonly string[]): Variables {
  if (settingsInForce(files, 'UnsetEnvironment').length > 0) return new Map();
  const variables = new Map<string, string | undefined>();
  for (const { assignment } of settingsInForce(files, 'Environment')) {
    for (const [name, value] of readEnvironment(assignment.value)) variables.set(name, value);
  }
  for (const text of contents) {
    for (const [name, value] of readEnvironmentFile(text)) variables.set(name, value);
  }
  return variables;
}

function readEnvironment(text: string): Variables {
  const found = new Map<string, string | undefined>();
  try {
    for (const word of splitWords(text)) {
      const [, name, value = ''] = ASSIGNMENT.exec(word) ?? [];
      if (name !== undefined) found.set(name, value.includes('%') ? undefined : value);
    }
    return found;
  } catch (error) {
    if (!(error instanceof UnitFileError)) throw error;
    // systemd takes what it understands; that may be any of these.
    return new Map([...text.matchAll(NAMES)].map(([, name = '']) => [name, undefined]));
  }
}

/** Values may go on over lines: where one line is not plain, none is believed. */
function readEnvironmentFile(text: string): Variables {
  const found = new Map<string, string | undefined>();
  const lines = text.split('\n');
  const isPlain = lines.every((line) => LINE.test(line));
  for (const line of lines) {
    const name = ASSIGNMENT.exec(line.trim())?.[1];
    if (name === undefined) continue;
    const [, , double, single, bare] = LINE.exec(line) ?? [];
    found.set(name, isPlain ? (double ?? single ?? bare) : undefined);
  }
  return found;
}
