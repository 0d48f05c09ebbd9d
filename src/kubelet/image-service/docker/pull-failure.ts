import { ImageServiceError, STATUS } from '../errors.ts';
import type { PullLine } from './answers.ts';

const UNAVAILABLE: readonly number[] = [502, 503, 504];
/** Docker Engine seldom hands the registry's status on as a number. */
const SAYS_UNAVAILABLE =
  /(?:unexpected http status|error parsing http|status from \w+ request to \S+|unexpected status(?: code)?(?: \S+| \[[^\]]*\])?):? 50[234]\b/i;
const MAXIMUM_CHARACTERS = 1000;

/** What a line says went wrong, if it does. */
export function pullFailure({ error, errorDetail }: PullLine): ImageServiceError | undefined {
  const message = errorDetail?.message ?? error;
  if (message === undefined && errorDetail === undefined) return undefined;
  return registryFailure(message || 'the pull failed', errorDetail?.code);
}

/**
 * Kubelet knows `RegistryUnavailable` by the beginning of the message, and by the code UNKNOWN.
 * @param code HTTP status of the registry, where it is known
 */
export function registryFailure(message: string, code?: number): ImageServiceError {
  const text = message.slice(0, MAXIMUM_CHARACTERS);
  const unavailable = code === undefined ? SAYS_UNAVAILABLE.test(message) : UNAVAILABLE.includes(code);
  return new ImageServiceError(STATUS.UNKNOWN, unavailable ? `RegistryUnavailable: ${text}` : text);
}
