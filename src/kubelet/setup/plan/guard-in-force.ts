import {
  type NamedUnitFile,
  parseUnitFile,
  settingsInForce,
  splitCommandLine,
  UnitFileError,
} from '../unit-file/index.ts';
import { ENVIRONMENT_FILE } from './names.ts';

/** An empty one in a later file takes back what our lines have set. */
const TAKEN_BACK = ['ExecStartPre', 'EnvironmentFile'];

/** Whether a file takes back lists that our lines add to. */
export function clearsOurLists({ text }: NamedUnitFile): boolean {
  return parseUnitFile(text).assignments.some(({ key, value }) => value === '' && TAKEN_BACK.includes(key));
}

/**
 * Whether all that our guard needs is in force when kubelet is started.
 * @param guardFile what it writes
 * @throws {UnitFileError} when a file is not understood
 */
export function guardIsInForce(files: readonly NamedUnitFile[], guardFile: string): boolean {
  const commands = settingsInForce(files, 'ExecStartPre').map(({ assignment }) => wordsOf(assignment.value));
  const withFile = commands.filter((words) => words.includes(guardFile));
  const isRead =
    guardFile !== ENVIRONMENT_FILE ||
    settingsInForce(files, 'EnvironmentFile').some(({ assignment }) => assignment.value === `-${guardFile}`);
  return isRead && ['guard', '-f'].every((word) => withFile.some((words) => words.includes(word)));
}

function wordsOf(command: string): readonly string[] {
  try {
    return splitCommandLine(command).words;
  } catch (error) {
    // Not one of ours.
    if (error instanceof UnitFileError) return [];
    throw error;
  }
}
