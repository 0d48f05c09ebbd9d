import { type ImageServiceError, STATUS } from '../errors.ts';

/** Codes that say it without words. containerd and CRI-O use them for some failures, and UNKNOWN for most. */
const CODES: readonly number[] = [STATUS.UNAUTHENTICATED, STATUS.PERMISSION_DENIED];

/** Codes under which a runtime passes a registry's words on. */
const CODES_WITH_WORDS: readonly number[] = [
  STATUS.UNKNOWN,
  STATUS.INTERNAL,
  STATUS.NOT_FOUND,
  STATUS.FAILED_PRECONDITION,
  STATUS.INVALID_ARGUMENT,
  STATUS.UNAVAILABLE,
];

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
export function isAuthorizationFailure({ code, message }: ImageServiceError, image: string): boolean {
  if (CODES.includes(code)) return true;
  if (!CODES_WITH_WORDS.includes(code)) return false;
  const words = withoutNames(message, image).toLowerCase().replace(NOT_THE_REGISTRY, '');
  return WORDS.some((expression) => expression.test(words));
}

/** The image's name, as a whole and in parts, may hold words such as `denied` and numbers such as `401`. */
function withoutNames(message: string, image: string): string {
  const [name = ''] = image.split('@');
  const withoutTag = name.replace(/:[^/:]*$/, '');
  const names = [image, name, withoutTag].flatMap((text) => [text, text.slice(text.indexOf('/') + 1)]);
  // Addresses hold the repository, too.
  const withoutAddresses = message.replace(/\bhttps?:\/\/[^\s"]+/g, 'URL');
  return names
    .filter((text) => text.length > 2)
    .sort((a, b) => b.length - a.length)
    .reduce((text, part) => text.replaceAll(part, 'NAME'), withoutAddresses);
}
