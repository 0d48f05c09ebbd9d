import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { type Answer, AnsweredError, errorAnswer } from './answer.ts';
import { readBody } from './message.ts';
import { firstValue, type Metadata, metadataOf } from './metadata.ts';
import { respond } from './respond.ts';
import { statusOfError } from './status.ts';
import { parseTimeoutMs } from './timeout.ts';

const METHOD_PATH = /^\/(?<service>[^/]+)\/(?<method>[^/]+)$/;

/** A call of a client, from its headers on. */
export class IncomingCall {
  readonly path: string;
  /** Such as `runtime.v1.ImageService`; empty when the path is of another form. */
  readonly service: string;
  readonly method: string;
  readonly metadata: Metadata;
  /** Milliseconds that the client waits, from the start of the call. */
  readonly timeoutMs: number | undefined;
  /** Aborted when the client has given up, or its deadline has passed. */
  readonly signal: AbortSignal;
  readonly stream: ServerHttp2Stream;
  readonly #cancel = new AbortController();

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]) {
    this.stream = stream;
    this.path = headers[':path'] ?? '';
    const { service = '', method = '' } = METHOD_PATH.exec(this.path)?.groups ?? {};
    this.service = service;
    this.method = method;
    this.metadata = metadataOf(raw, headers);
    this.timeoutMs = parseTimeoutMs(firstValue(this.metadata, 'grpc-timeout'));
    // An error of the stream is told by its end.
    stream.on('error', () => undefined);
    const timer = this.timeoutMs === undefined ? undefined : setTimeout(() => this.#expire(), this.timeoutMs);
    stream.once('close', () => {
      clearTimeout(timer);
      this.#cancel.abort(new DOMException('the client has gone', 'AbortError'));
    });
    this.signal = this.#cancel.signal;
  }

  /** The whole body of a call that sends one message. */
  body(): Promise<Buffer> {
    // Not destroyed when it is too large: the client is to be told so.
    return readBody(this.stream.iterator({ destroyOnReturn: false }));
  }

  /** Answers the call; where the client has gone, nothing. */
  answer({ headers, body, trailers }: Answer): void {
    const { stream } = this;
    if (stream.destroyed || stream.closed || stream.headersSent) return;
    if (!trailers) {
      respond(stream, headers, { endStream: true });
      // What the client still sends is of no use; without this the stream would stay until it has been read.
      stream.resume();
      return;
    }
    respond(stream, headers, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(body);
  }

  fail(error: unknown): void {
    const { code, message } = statusOfError(error);
    this.answer(error instanceof AnsweredError ? error.answer : errorAnswer(code, message));
  }

  #expire(): void {
    this.#cancel.abort(new DOMException('context deadline exceeded', 'TimeoutError'));
  }
}
