/** One authentication scheme that a server offers. Parameter names are in lower case. */
export interface Challenge {
  /** In lower case: `bearer`, `basic`, … */
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const MAXIMUM_HEADER_LENGTH = 8192;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const BLANKS_AND_COMMAS = /[ \t,]*/y;

/**
 * Reads the values of `WWW-Authenticate`: several headers, or several challenges in one. A quoted value may
 * hold commas (`scope="repository:a:pull,push"`), so this is a scanner and not a split.
 * @returns what could be read up to the first thing that is not a challenge
 * @see RFC 9110, section 11.6.1
 */
export function parseChallenges(values: readonly string[]): Challenge[] {
  return values.flatMap((value) => (value.length > MAXIMUM_HEADER_LENGTH ? [] : scan(value)));
}

function scan(text: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let position = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match) position = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(BLANKS_AND_COMMAS);
    const word = take(TOKEN)?.[0].toLowerCase();
    if (!word) return challenges;
    const current = challenges.at(-1);
    if (text[position] === '=' && current) {
      position += 1;
      const quoted = take(QUOTED);
      const value = quoted ? quoted[1]?.replace(/\\(.)/g, '$1') : take(TOKEN)?.[0];
      if (value === undefined) return challenges;
      if (!current.parameters.has(word)) current.parameters.set(word, value);
    } else {
      challenges.push({ scheme: word, parameters: new Map() });
    }
  }
}

/** Writes one challenge; every value is quoted, and parameters that are undefined are left out. */
export function formatChallenge(
  scheme: string,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const list = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${value.replace(/["\\]/g, '\\$&')}"`],
  );
  return list.length === 0 ? scheme : `${scheme} ${list.join(',')}`;
}
