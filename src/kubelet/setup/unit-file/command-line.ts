import { UnitFileError } from './unit-file.ts';

/** The value of `ExecStart=`, read as systemd reads it. */
export interface CommandLine {
  /** Special characters before the program: `-`, `@`, `:`, `+`, `!`. */
  readonly prefix: string;
  /** The program and its arguments, without quotes; `$VARIABLE` and `%` specifiers are as they stand. */
  readonly words: readonly string[];
}

const PREFIX = /^[-@:+!]*/;
const SPACE = ' \t';
const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
  s: ' ',
};
/** Digits behind the letter, and their base. */
const NUMBER_ESCAPES: Readonly<Record<string, readonly [digits: number, base: 16]>> = {
  x: [2, 16],
  u: [4, 16],
  U: [8, 16],
};

/**
 * Splits one command into words.
 * @throws {UnitFileError} for an escape that systemd does not know, a quote that does not end, and several commands
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#Command%20lines
 */
export function splitCommandLine(value: string): CommandLine {
  const words: string[] = [];
  let offset = skipSpace(value, 0);
  while (offset < value.length) {
    const word = readWord(value, offset);
    if (word.raw === ';') throw new UnitFileError('several commands in one ExecStart=', 0);
    words.push(word.raw === '\\;' ? ';' : word.text);
    offset = skipSpace(value, word.end);
  }
  const [first = ''] = words;
  const prefix = PREFIX.exec(first)?.[0] ?? '';
  const program = first.slice(prefix.length);
  if (program === '') throw new UnitFileError('no program', 0);
  return { prefix, words: [program, ...words.slice(1)] };
}

/**
 * Splits a value that is words and no command, such as that of `Environment=`.
 * @throws {UnitFileError} for an escape that systemd does not know, and a quote that does not end
 */
export function splitWords(value: string): readonly string[] {
  const words: string[] = [];
  for (let offset = skipSpace(value, 0); offset < value.length; ) {
    const { text, end } = readWord(value, offset);
    words.push(text);
    offset = skipSpace(value, end);
  }
  return words;
}

function readWord(value: string, start: number): { text: string; raw: string; end: number } {
  let text = '';
  let quote = '';
  let offset = start;
  while (offset < value.length) {
    const character = value[offset] ?? '';
    if (quote === '' && SPACE.includes(character)) break;
    if (character === '\\' && value.startsWith('\\;', offset)) {
      text += ';';
      offset += 2;
    } else if (character === '\\') {
      const read = readEscape(value, offset);
      text += read.text;
      offset = read.end;
    } else if (character === quote) {
      quote = '';
      offset++;
    } else if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
      offset++;
    } else {
      text += character;
      offset++;
    }
  }
  if (quote !== '') throw new UnitFileError(`a ${quote} that does not end`, 0);
  return { text, raw: value.slice(start, offset), end: offset };
}

function readEscape(value: string, start: number): { text: string; end: number } {
  const letter = value[start + 1] ?? '';
  const simple = SIMPLE_ESCAPES[letter];
  if (simple !== undefined) return { text: simple, end: start + 2 };
  const [digits, base] = NUMBER_ESCAPES[letter] ?? [];
  if (digits !== undefined && base !== undefined) {
    return readNumber(value.slice(start + 2, start + 2 + digits), digits, base, start + 2 + digits);
  }
  if (/[0-3]/.test(letter)) return readNumber(value.slice(start + 1, start + 4), 3, 8, start + 4);
  throw new UnitFileError(`\\${letter} is no escape that systemd knows`, 0);
}

function readNumber(digits: string, count: number, base: number, end: number): { text: string; end: number } {
  const allowed = base === 8 ? /^[0-7]+$/ : /^[0-9a-fA-F]+$/;
  const code = Number.parseInt(digits, base);
  // Above 7F, \x and octal escapes are single bytes, not characters; nobody writes such a command.
  const tooLarge = code > 0x10ffff || (count < 4 && code > 0x7f);
  if (digits.length !== count || !allowed.test(digits) || code === 0 || tooLarge) {
    throw new UnitFileError(`\\${digits} is no character`, 0);
  }
  return { text: String.fromCodePoint(code), end };
}

function skipSpace(value: string, start: number): number {
  let offset = start;
  while (offset < value.length && SPACE.includes(value[offset] ?? '')) offset++;
  return offset;
}
