import { ImageServiceError, STATUS, type StatusCode } from '../errors.ts';

/** Docker Engine answered a request with an error. */
export class EngineError extends Error {
  constructor(
    /** HTTP status. */
    readonly statusCode: number,
    /** Docker Engine's own words. */
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'EngineError';
  }
}

/** Docker Engine can't be asked, or breaks off. */
export class EngineUnreachableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineUnreachableError';
  }
}

const CODE_BY_HTTP_STATUS: Readonly<Record<number, StatusCode>> = {
  400: STATUS.INVALID_ARGUMENT,
  404: STATUS.NOT_FOUND,
  409: STATUS.FAILED_PRECONDITION,
};

/** An error of Docker Engine in kubelet's words. Any other stays what it is. */
export function inKubeletsWords(error: unknown): unknown {
  if (error instanceof EngineError) {
    const code = CODE_BY_HTTP_STATUS[error.statusCode] ?? STATUS.UNKNOWN;
    return new ImageServiceError(code, error.message, { cause: error });
  }
  if (error instanceof EngineUnreachableError) {
    return new ImageServiceError(STATUS.UNAVAILABLE, error.message, { cause: error });
  }
  return error;
}

/**
 * For what is asked so often that an answer of before will do: Docker Engine that answers with errors of its own, as
 * while it starts, counts as away.
 */
export function awayWhileFailing(error: unknown): unknown {
  if (!(error instanceof EngineError) || error.statusCode < 500) return error;
  return new ImageServiceError(STATUS.UNAVAILABLE, error.message, { cause: error });
}

export function isNotFound(error: unknown): boolean {
  return error instanceof EngineError && error.statusCode === 404;
}
