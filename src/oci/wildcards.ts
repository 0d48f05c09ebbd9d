/**
 * Greedy matching that only ever goes back to the last wildcard: an earlier one has already taken as little as
 * it can, so trying it again can't help. The time grows with the product of both lengths at the most.
 */
export function matchWildcards<T>(
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

/** One segment or label, in which `*` is any characters, none included. */
export function matchSegment(pattern: string, segment: string): boolean {
  if (pattern === '*' || pattern === segment) return true;
  return pattern.includes('*') && matchWildcards([...pattern], [...segment], '*', (a, b) => a === b);
}
