import type { RepositoryName } from './reference.ts';
import { matchSegment, matchWildcards } from './wildcards.ts';

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
  return {
    text,
    matches: (repository) => matchWildcards(steps, repository.split('/'), ANY_SEGMENTS, matchSegment),
  };
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
