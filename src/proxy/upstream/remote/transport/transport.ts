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

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A body that is sent while it comes, in one go; it can be read once. */
export interface StreamedBody {
  /** Undefined: sent in chunks, and its end is where it ends. */
  readonly sizeBytes: number | undefined;
  readonly bytes: ByteStream;
}

export interface TransportRequest extends Target {
  readonly method: Method;
  readonly headers: Readonly<Record<string, string>>;
  /** A streamed one only where the transport says so. */
  readonly body?: Uint8Array | StreamedBody | undefined;
  /** Until the answer's head, where the work takes longer than usual. */
  readonly answerTimeoutMs?: number | undefined;
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
