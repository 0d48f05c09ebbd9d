import { type ImageServiceError, STATUS } from '../errors.ts';
import { registryWords } from './registry-words.ts';

/** Codes that say it without words. containerd and CRI-O use them for some failures, and UNKNOWN for most. */
const CODES: readonly number[] = [STATUS.UNAUTHENTICATED, STATUS.PERMISSION_DENIED];

/** How registries and runtimes word it that a credential is missing, wrong or not enough. */
const WORDS: readonly RegExp[] = [
  // The error codes of the distribution specification, as clients print them: "denied: …", "UNAUTHORIZED".
  /\bunauthori[sz]ed\b/,
  /(?<!permission )\bdenied: /,
  /\b(?:pull |requested )?access (?:to the resource is )?denied\b/,
  /\bis denied\b/,
  // Docker Engine: no credential at all for a registry that wants one.
  /\bno basic auth credentials\b/,
  /\bauthentication required\b/,
  /\bincorrect username or password\b/,
  // containerd: "failed to authorize: …", "authorization failed", "insufficient_scope".
  /\bauthorization failed\b/,
  /\binsufficient_scope\b/,
  // containers/image, in CRI-O.
  /\binvalid username\/password\b/,
  // A status: "403 Forbidden", "HTTP 401 response body", "status code from registry 403 (Forbidden)".
  /\b40[13] (?:\(?unauthorized\)?|\(?forbidden\)?)/,
  /\b(?:http|status|status code|status code \[[^\]]*\]|from registry|status from \w+ request to \S+):? 40[13]\b/,
];

/** A file's or socket's permission is not the registry's. */
const NOT_THE_REGISTRY = /\bpermission denied\b(?!:)|\btls: access denied\b/g;

/**
 * Tells whether a pull failed because of the credential, so that another one may help. Codes are compared where a
 * runtime sends them; Docker Engine, and mostly containerd too, have only the registry's text.
 * @param image the reference that was asked for; what it says is not taken for the registry's words
 */
export function isAuthorizationFailure(error: ImageServiceError, image: string): boolean {
  if (CODES.includes(error.code)) return true;
  const words = registryWords(error, image)?.replace(NOT_THE_REGISTRY, '');
  return words !== undefined && WORDS.some((expression) => expression.test(words));
}
