import type { ErrorCode } from '../../oci/index.ts';

/**
 * Why an upstream could not answer.
 *
 * - `not-found`: it has no such manifest, blob or repository
 * - `refused`: it does not accept our credential, or that credential may not do this
 * - `rate-limited`: 429; `retryAfter` holds its header
 * - `unreachable`: no connection, no answer in time, or 503
 * - `faulty`: an answer that breaks the protocol, other 5xx, wrong content
 * - `unsafe`: it named a realm or a redirect that we must not follow
 * - `unsupported`: it lacks this part of the protocol
 * - `range`: 416
 * - `rejected`: it will not take what was pushed; `rejection` says why in the protocol's words
 */
export type UpstreamErrorKind =
  | 'not-found'
  | 'refused'
  | 'rate-limited'
  | 'unreachable'
  | 'faulty'
  | 'unsafe'
  | 'unsupported'
  | 'range'
  | 'rejected';

/** A refusal of a push, as far as clients may hear it. */
export interface Rejection {
  readonly code: ErrorCode;
  readonly status: number;
}

/** The message is for the log: it may name the upstream, and is never shown to a client. */
export class UpstreamError extends Error {
  /** The upstream's `Retry-After`, as it came. */
  readonly retryAfter: string | undefined;
  /** With `rejected` only. */
  readonly rejection: Rejection | undefined;

  constructor(
    readonly kind: UpstreamErrorKind,
    message: string,
    options: {
      readonly cause?: unknown;
      readonly retryAfter?: string | undefined;
      readonly rejection?: Rejection;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'UpstreamError';
    this.retryAfter = options.retryAfter;
    this.rejection = options.rejection;
  }
}
