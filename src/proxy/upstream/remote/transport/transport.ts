import type { ByteStream } from '../../../../core/index.ts';
import type { AnswerHeaders } from './answer-headers.ts';

/**
 * Whose word an address stands on. `own`: the upstream's configured origin. `listed`: an origin the configuration
 * names besides. Both may be anywhere. `public`: only an upstream named it; https, and public addresses alone.
 */
export type Trust = 'own' | 'listed' | 'public';

/** Where a request goes. */
export interface Target {
  readonly url: URL;
  readonly trust: Trust;
}

export interface TransportRequest extends Target {
  /** Only the small door takes POST. */
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** With POST. */
  readonly body?: Uint8Array | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** An answer whose body is still on its way. It is either read or discarded, or its connection stays taken. */
export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** Can be read once. */
  readonly body: ByteStream;
  /** Frees the connection without the body. */
  discard(): void;
}

/**
 * Sends one request and follows nothing. Rejects with an `UpstreamError` (`unreachable`, `faulty`, `unsafe`), or
 * with the signal's reason.
 */
export interface Transport {
  request(request: TransportRequest): Promise<Answer>;
  /** Ends idle connections; the others end with their answers. */
  close(): Promise<void>;
}

/** Times in milliseconds. */
export interface TransportOptions {
  readonly connectTimeoutMs: number;
  /** From the request to the end of the answer's head. */
  readonly answerTimeoutMs: number;
  /** Between two pieces of a body, while somebody wants the next one. */
  readonly progressTimeoutMs: number;
  /** At most so many at once to each origin. */
  readonly connections: number;
}
