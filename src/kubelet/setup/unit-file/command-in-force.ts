import { type Assignment, parseUnitFile, type UnitFile, UnitFileError } from './unit-file.ts';

/** A unit file or drop-in, with where it lies. */
export interface NamedUnitFile {
  readonly path: string;
  readonly text: string;
}

/** The command that a service runs, and where it is written. */
export interface InForce {
  readonly path: string;
  readonly file: UnitFile;
  readonly assignment: Assignment;
}

/**
 * Finds the one `ExecStart=` in force.
 * @param files the unit file, then its drop-ins in the order in which systemd reads them
 * @throws {UnitFileError} when a file is not understood, or when there is no command, or more than one
 */
export function commandInForce(files: readonly NamedUnitFile[]): InForce {
  let commands: InForce[] = [];
  for (const { path, text } of files) {
    const file = parseNamed(path, text);
    for (const assignment of file.assignments) {
      if (assignment.section !== 'Service' || assignment.key !== 'ExecStart') continue;
      if (assignment.value === '') commands = [];
      else commands.push({ path, file, assignment });
    }
  }
  const [command, ...others] = commands;
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
