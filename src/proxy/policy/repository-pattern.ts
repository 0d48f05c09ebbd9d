import type { RepositoryName } from '../../oci/index.ts';

/** Tells whether a repository's name is one that a pattern means. */
export interface RepositoryPattern {
  /** As written. */
  readonly text: string;
  matches(repository: RepositoryName): boolean;
}

/** What is wrong with a pattern, in words. */
export class PatternError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PatternError';
  }
}

const MAXIMUM_PATTERN_LENGTH = 512;
const ANY_SEGMENTS = '**';

/**
 * Reads a pattern over repository names.
 *
 * - `*` is exactly one segment; within a segment (`team-*`) it is any characters, none included
 * - `**` is a whole segment of its own and stands for any number of segments, none included (between `a` and `b`,
 *   it matches `a/b` too); at the end it stands for at least one: `a/**` is everything below `a`, but not `a`
 * - `**` alone is every name
 *
 * The time to match grows with the product of both lengths at the most, whatever the pattern.
 *
 * @throws {PatternError} when the pattern holds something else than characters of names, `*`, `**` and `/`
 */
export function parseRepositoryPattern(text: string): RepositoryPattern {
  const segments = splitPattern(text);
  // One segment and then any number more: that is what `**` means at the end.
  const steps = segments.at(-1) === ANY_SEGMENTS ? [...segments.slice(0, -1), '*', ANY_SEGMENTS] : segments;
  return { text, matches: (repository) => matchesSegments(steps, repository.split('/')) };
}

function splitPattern(text: string): string[] {
  if (text.length > MAXIMUM_PATTERN_LENGTH) {
    throw new PatternError(`a pattern has at most ${MAXIMUM_PATTERN_LENGTH} characters`);
  }
  const odd = /[^a-z0-9._\-*/]/u.exec(text)?.[0];
  if (odd !== undefined) {
    throw new PatternError(
      `${JSON.stringify(odd)} can't be in a name; expected lower-case letters, digits, . _ - and *`,
    );
  }
  const segments = text.split('/');
  for (const segment of segments) {
    if (segment === '') throw new PatternError('a segment is empty; write a/b without slashes around it');
    if (segment !== ANY_SEGMENTS && segment.includes('**')) {
      throw new PatternError(`** has to be a segment of its own, not part of ${segment}`);
    }
  }
  return segments;
}

function matchesSegments(pattern: readonly string[], name: readonly string[]): boolean {
  return matchesWildcards(pattern, name, ANY_SEGMENTS, matchesSegment);
}

function matchesSegment(pattern: string, segment: string): boolean {
  if (pattern === '*' || pattern === segment) return true;
  return pattern.includes('*') && matchesWildcards([...pattern], [...segment], '*', (a, b) => a === b);
}

/**
 * Greedy matching that only ever goes back to the last wildcard: an earlier one has already taken as little as
 * it can, so trying it again can't help.
 */
function matchesWildcards<T>(
  pattern: readonly T[],
  subject: readonly T[],
  wildcard: T,
  same: (pattern: T, subject: T) => boolean,
): boolean {
  let at = 0;
  let lastWildcard = -1;
  let takenUpTo = 0;
  let index = 0;
  while (index < subject.length) {
    const step = pattern[at];
    if (step === wildcard) {
      lastWildcard = at;
      takenUpTo = index;
      at += 1;
    } else if (at < pattern.length && same(step as T, subject[index] as T)) {
      at += 1;
      index += 1;
    } else if (lastWildcard >= 0) {
      takenUpTo += 1;
      index = takenUpTo;
      at = lastWildcard + 1;
    } else {
      return false;
    }
  }
  while (at < pattern.length && pattern[at] === wildcard) at += 1;
  return at === pattern.length;
}
