import type { Logger } from '../../telemetry/index.ts';
import { ImageServiceError, STATUS } from './errors.ts';
import { statusOfError } from './grpc/index.ts';
import type { CredentialSource } from './image-service.ts';

/** What the log says of a call. */
export interface CallDetails {
  readonly method: string;
  /** Of a pull. */
  readonly image?: string;
  /** Whose credential a pull was last tried with. */
  readonly source?: CredentialSource;
}

/** An address as far as its query, which may hold a signature, and what follows. */
const QUERY = /(\bhttps?:\/\/[^\s"'<>?]*)\?[^\s"'<>]*/g;

/** What a registry says may be long. */
const MOST_CHARACTERS = 2000;

/** Notes a call that failed. What was not foreseen is a fault of ours, and stands in the log in full. */
export function logFailedCall(log: Logger, error: unknown, details: CallDetails): void {
  const { code, message } = statusOfError(error);
  const isForeseen = error instanceof ImageServiceError;
  if (code === STATUS.CANCELLED && !isForeseen) {
    log.debug({ ...details, code }, 'a client has gone');
  } else if (isForeseen || code !== STATUS.INTERNAL) {
    const reason = message.slice(0, MOST_CHARACTERS).replace(QUERY, '$1?…');
    log.warn({ ...details, code, reason }, 'a call failed');
  } else {
    log.error({ ...details, code, err: error }, 'a call failed, and not as calls may fail');
  }
}
