export { type BackoffOptions, backoffDelayMs } from './backoff.ts';
export { BodyTooLargeError, type ByteStream, readBounded } from './bytes.ts';
export { type Clock, systemClock } from './clock.ts';
export { parseDurationMs } from './duration.ts';
export { FileReference, FolderFilesReference, FolderReference } from './file-reference.ts';
export { fingerprint } from './fingerprint.ts';
export * as optionTypes from './option-types.ts';
export { Secret } from './secret.ts';
export { parseUrl } from './url.ts';
