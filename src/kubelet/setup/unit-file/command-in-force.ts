import { type Assignment, parseUnitFile, type UnitFile, UnitFileError } from './unit-file.ts';

/** A unit file or drop-in, with where it lies. */
export interface NamedUnitFile {
  readonly path: string;
  readonly text: string;
}

/** A setting of a service, and where it is written. */
export interface InForce {
  readonly path: string;
  readonly file: UnitFile;
  readonly assignment: Assignment;
}

/**
 * What is in force of a setting in `[Service]` that is a list: an empty value takes back all before it.
 * @param files the unit file, then its drop-ins in the order in which systemd reads them
 * @throws {UnitFileError} when a file is not understood
 */
export function settingsInForce(files: readonly NamedUnitFile[], key: string): readonly InForce[] {
  let found: InForce[] = [];
  for (const { path, text } of files) {
    const file = parseNamed(path, text);
    for (const assignment of file.assignments) {
      if (assignment.section !== 'Service' || assignment.key !== key) continue;
      if (assignment.value === '') found = [];
      else found.push({ path, file, assignment });
    }
  }
  return found;
}

/**
 * Finds the one `ExecStart=` in force.
 * @throws {UnitFileError} when a file is not understood, or when there is no command, or more than one
 */
export function commandInForce(files: readonly NamedUnitFile[]): InForce {
  const [command, ...others] = settingsInForce(files, 'ExecStart');
  if (!command) throw new UnitFileError('no ExecStart= is in force', 0);
  if (others.length > 0) throw new UnitFileError('more than one ExecStart= is in force', 0);
  return command;
}

function parseNamed(path: string, text: string): UnitFile {
  try {
    return parseUnitFile(text);
  } catch (error) {
    if (!(error instanceof UnitFileError)) throw error;
    throw new UnitFileError(`${path}: ${error.message}`, 0);
  }
}
