import { UnitFileError } from './unit-file.ts';

/** Names of files that need no quoting anywhere: in unit files, in environment files, in a kubelet flag. */
const SAFE_PATH = /^(?:\/[A-Za-z0-9_@+=:-][A-Za-z0-9._@+=:-]*|\/\.[A-Za-z0-9_@+=:-][A-Za-z0-9._@+=:-]*)+$/;
const PLAIN_WORD = /^[A-Za-z0-9_./@+=:,-]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f\u0085\u2028\u2029]/;
const LONGEST_PATH = 4096;

/**
 * A path that may stand in a unit file: absolute, of plain characters, without `.` and `..`.
 * @throws {UnitFileError} for any other
 */
export function requireSafePath(path: string, what: string): string {
  if (!SAFE_PATH.test(path) || path.length > LONGEST_PATH) {
    throw new UnitFileError(
      `${what} has to be an absolute path of letters, digits and ._@+=:- only, not ${JSON.stringify(path)}`,
      0,
    );
  }
  return path;
}

/**
 * Writes a word so that systemd reads exactly this word: no specifier, no variable, no second word or command.
 * @throws {UnitFileError} for control characters: none belongs into a command
 */
export function quoteWord(word: string): string {
  if (CONTROL.test(word)) throw new UnitFileError('a control character in a value', 0);
  if (PLAIN_WORD.test(word)) return word;
  const escaped = word
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$');
  return `"${escaped}"`;
}

/**
 * Writes a command of ours for an `Exec…=` line.
 * @throws {UnitFileError} when the program is no safe path
 */
export function quoteCommand(words: readonly string[]): string {
  const [program = '', ...rest] = words;
  return [requireSafePath(program, 'a program'), ...rest.map(quoteWord)].join(' ');
}
