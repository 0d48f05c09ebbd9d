import { ImageServiceError, STATUS, type StatusCode } from '../errors.ts';
import { frameMessage } from './message.ts';
import type { Metadata } from './metadata.ts';
import { readStatus, statusTrailers } from './status.ts';

/** How a unary call was answered, byte for byte. */
export interface Answer {
  readonly headers: Metadata;
  /** Messages with their prefixes. */
  readonly body: Buffer;
  /** Undefined where the headers already ended the call. */
  readonly trailers: Metadata | undefined;
  readonly code: StatusCode;
  /** Whether it says that the runtime is not there, or not yet. */
  readonly isAway: boolean;
}

const RESPONSE_HEADERS: Metadata = { 'content-type': 'application/grpc' };

export function messageAnswer(message: Uint8Array): Answer {
  return {
    headers: RESPONSE_HEADERS,
    body: frameMessage(message),
    trailers: statusTrailers(STATUS.OK),
    code: STATUS.OK,
    isAway: false,
  };
}

export function errorAnswer(code: StatusCode, message: string): Answer {
  return {
    headers: { ...RESPONSE_HEADERS, ...statusTrailers(code, message) },
    body: Buffer.alloc(0),
    trailers: undefined,
    code,
    isAway: code === STATUS.UNAVAILABLE,
  };
}

/** A call that a backend has answered with an error, which is to be passed on as it is. */
export class AnsweredError extends ImageServiceError {
  constructor(readonly answer: Answer) {
    const status = readStatus(answer.trailers ?? answer.headers);
    super(answer.code, status?.message ?? '');
    this.name = 'AnsweredError';
  }
}
