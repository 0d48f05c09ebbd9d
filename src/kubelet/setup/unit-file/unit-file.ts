/** A unit file, or the text in it, is not understood; it stays as it is. */
export class UnitFileError extends Error {
  constructor(
    message: string,
    /** Counted from 1; 0 where it is not about one line. */
    readonly line: number,
  ) {
    super(line > 0 ? `line ${line}: ${message}` : message);
    this.name = 'UnitFileError';
  }
}

/** `Key=Value` in a section. */
export interface Assignment {
  readonly section: string;
  readonly key: string;
  /** With continuation lines joined as systemd joins them, without white space around it. */
  readonly value: string;
  /** Index of its first and of its last physical line. */
  readonly first: number;
  readonly last: number;
}

/**
 * A unit file or drop-in. Edits return another one; every line that is not edited stays as it is, byte for byte.
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html
 */
export interface UnitFile {
  readonly assignments: readonly Assignment[];
  toString(): string;
  /** Adds text to the end of an assignment's value. */
  append(assignment: Assignment, text: string): UnitFile;
  /** Adds lines behind an assignment. */
  insertAfter(assignment: Assignment, lines: readonly string[]): UnitFile;
  /** Adds lines at the beginning of a section; the section is made where there is none. */
  insertInSection(section: string, lines: readonly string[]): UnitFile;
}

interface Line {
  readonly text: string;
  /** `\n`, `\r\n`, or nothing for a last line that does not end. */
  readonly end: string;
}

const LINE = /([^\r\n]*)(\r\n|\n|$)/y;
const SECTION = /^\[([^\][]+)\]$/;
const COMMENT = /^[ \t]*[#;]/;
const BLANK = /^[ \t]*$/;
const KEY = /^[A-Za-z0-9-]+$/;
/** What systemd strips: JavaScript's `trim` takes more. */
const SPACE_AROUND = /^[ \t\r\n]+|[ \t\r\n]+$/g;

/**
 * Reads a unit file.
 * @throws {UnitFileError} for whatever systemd would ignore with a warning, or read in another way than it looks
 */
export function parseUnitFile(text: string): UnitFile {
  const lines = splitLines(text);
  return createUnitFile(lines, readAssignments(lines));
}

function splitLines(text: string): Line[] {
  const lines: Line[] = [];
  LINE.lastIndex = 0;
  let offset = 0;
  while (offset < text.length) {
    LINE.lastIndex = offset;
    const match = LINE.exec(text);
    if (!match || match[0] === '') throw new UnitFileError('a lone carriage return', lines.length + 1);
    lines.push({ text: match[1] ?? '', end: match[2] ?? '' });
    offset = LINE.lastIndex;
  }
  return lines;
}

function readAssignments(lines: readonly Line[]): Assignment[] {
  const assignments: Assignment[] = [];
  let section: string | undefined;
  for (let index = 0; index < lines.length; index++) {
    const text = lines[index]?.text ?? '';
    if (text.includes('\0')) throw new UnitFileError('a NUL character', index + 1);
    if (BLANK.test(text) || COMMENT.test(text)) continue;
    const { joined, last } = joinContinuation(lines, index);
    const trimmed = strip(joined);
    const header = SECTION.exec(trimmed);
    if (header) {
      section = header[1];
    } else {
      assignments.push(readAssignment(trimmed, section, index, last));
    }
    index = last;
  }
  return assignments;
}

/** A line goes on in the next when its last backslash is not one that another stands before. */
function goesOn(text: string): boolean {
  const [backslashes = ''] = /\\*$/.exec(text) ?? [];
  return backslashes.length % 2 === 1;
}

function strip(text: string): string {
  return text.replace(SPACE_AROUND, '');
}

/** Joins a line with those that it goes on in; comments in between are left out. */
function joinContinuation(lines: readonly Line[], first: number): { joined: string; last: number } {
  let joined = lines[first]?.text ?? '';
  let last = first;
  for (let next = first + 1; goesOn(joined); next++) {
    const line = lines[next];
    if (!line) throw new UnitFileError('the last line goes on, but nothing follows', last + 1);
    if (COMMENT.test(line.text)) continue;
    joined = `${joined.slice(0, -1)} ${line.text}`;
    last = next;
  }
  return { joined, last };
}

function readAssignment(text: string, section: string | undefined, first: number, last: number): Assignment {
  const equals = text.indexOf('=');
  const key = strip(text.slice(0, Math.max(equals, 0)));
  if (!KEY.test(key)) throw new UnitFileError('neither a section nor Key=Value', first + 1);
  if (section === undefined) throw new UnitFileError(`${key}= stands outside of a section`, first + 1);
  return { section, key, value: strip(text.slice(equals + 1)), first, last };
}

function createUnitFile(lines: readonly Line[], assignments: readonly Assignment[]): UnitFile {
  const end = lines.find((line) => line.end !== '')?.end ?? '\n';
  const reparse = (next: readonly Line[]): UnitFile => parseUnitFile(join(next));

  function insertAt(index: number, added: readonly string[]): UnitFile {
    for (const text of added) requireOneLine(text);
    const before = lines.slice(0, index);
    const previous = before.pop();
    return reparse([
      ...before,
      // A last line that did not end has to, now that something follows it.
      ...(previous ? [{ text: previous.text, end: previous.end || end }] : []),
      ...added.map((text) => ({ text, end })),
      ...lines.slice(index),
    ]);
  }

  return {
    assignments,
    toString: () => join(lines),
    append(assignment, text) {
      requireOneLine(text);
      return reparse(
        lines.map((line, index) =>
          index === assignment.last ? { text: `${line.text}${text}`, end: line.end } : line,
        ),
      );
    },
    insertAfter: (assignment, added) => insertAt(assignment.last + 1, added),
    insertInSection(section, added) {
      const header = headerIndex(lines, section);
      return header === undefined
        ? insertAt(lines.length, ['', `[${section}]`, ...added])
        : insertAt(header + 1, added);
    },
  };
}

/** The line of the section's first header. A line that continues an assignment is no header, whatever it looks like. */
function headerIndex(lines: readonly Line[], section: string): number | undefined {
  for (let index = 0; index < lines.length; index++) {
    const text = lines[index]?.text ?? '';
    if (BLANK.test(text) || COMMENT.test(text)) continue;
    const { joined, last } = joinContinuation(lines, index);
    if (SECTION.exec(strip(joined))?.[1] === section) return last;
    index = last;
  }
  return undefined;
}

function requireOneLine(text: string): void {
  if (/[\r\n\0]/.test(text) || goesOn(text)) throw new UnitFileError('not a line by itself', 0);
}

function join(lines: readonly Line[]): string {
  return lines.map((line) => line.text + line.end).join('');
}
