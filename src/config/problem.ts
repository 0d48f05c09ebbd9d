/** Where a value stands: keys and list positions from the top of the file. */
export type KeyPath = readonly (string | number)[];

/** Something wrong with a value, before it is known where in the file the value stands. */
export interface Finding {
  readonly path: KeyPath;
  readonly message: string;
  /** Whether the key itself is meant rather than its value. */
  readonly atKey?: boolean;
  /** Where it is, when that is not where the path leads. */
  readonly position?: Position;
}

/** A place in a text; both are counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Something wrong with a configuration. */
export interface ConfigProblem {
  /** The file as it was named; undefined for a configuration that came from no file. */
  readonly file: string | undefined;
  /** Counted from 1; undefined where there is no line to point at. */
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** Such as `routes[0].upstream`; empty when it concerns the whole file. */
  readonly key: string;
  readonly message: string;
}

/** What a version of the configuration was made of. */
export interface ConfigSnapshot {
  /** Absolute paths of the file and every file that it names, also of those that are missing. */
  readonly files: readonly string[];
  /** Changes when the contents of any of these files do. */
  readonly fingerprint: string;
}

/** The configuration can't be used. The message has one line for each problem and is safe to show. */
export class ConfigError extends Error {
  constructor(
    readonly problems: readonly ConfigProblem[],
    /** What was read before the problems were found. */
    readonly snapshot: ConfigSnapshot,
  ) {
    super(problems.map(formatProblem).join('\n'));
    this.name = 'ConfigError';
  }
}

/** `drp.yaml:12:5: routes[0].upstrem: unknown key`, without the parts that are not known. */
export function formatProblem(problem: ConfigProblem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  return [place, problem.key, problem.message].filter((part) => part !== '').join(': ');
}

/** `routes[0].match.host`; a key with other characters than a name has stands in brackets and quotes. */
export function formatKeyPath(path: KeyPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    if (!/^[\w-]{1,64}$/.test(key)) return `${text}[${JSON.stringify(shorten(key))}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

function shorten(text: string): string {
  return text.length > 64 ? `${text.slice(0, 63)}…` : text;
}
