import { distance } from 'fastest-levenshtein';

/** One letter in three may be wrong. */
const LETTERS_PER_MISTAKE = 3;

/** The candidate that somebody who wrote `word` most likely meant; undefined when none is close. Never `word` itself. */
export function nearestKey(word: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    if (candidate === word) continue;
    const mistakes = mistakesBetween(normalize(word), normalize(candidate));
    const allowed = Math.floor(Math.max(word.length, candidate.length) / LETTERS_PER_MISTAKE);
    if (mistakes <= allowed && mistakes < fewest) {
      nearest = candidate;
      fewest = mistakes;
    }
  }
  return nearest;
}

/** Letters in the wrong order are one mistake. */
function mistakesBetween(word: string, candidate: string): number {
  const mistakes = distance(word, candidate);
  const sameLetters = [...word].toSorted().join('') === [...candidate].toSorted().join('');
  return mistakes > 0 && sameLetters ? 1 : mistakes;
}

/** How a message names the nearest key; always its last words. */
export function suggestion(key: string): string {
  return `did you mean ${key}?`;
}

/** `public_url` and `PublicURL` are `publicUrl` to somebody who remembers it wrongly. */
function normalize(word: string): string {
  return word.toLowerCase().replace(/[-_]/g, '');
}
