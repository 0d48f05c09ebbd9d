import type { ImageServiceError } from '../errors.ts';
import { registryWords } from './registry-words.ts';

/** The code of the distribution specification as clients print it, the status, and what CRI-O's library says in its place. */
const WORDS: readonly RegExp[] = [
  /\btoomanyrequests\b/,
  /\b429 too many requests\b/,
  /\btoo many requests to registry\b/,
];

/**
 * Tells whether a registry has let a credential in and gives it no more for now.
 * @param image the reference that was asked for
 */
export function isRateLimitFailure(error: ImageServiceError, image: string): boolean {
  const words = registryWords(error, image);
  return words !== undefined && WORDS.some((expression) => expression.test(words));
}
