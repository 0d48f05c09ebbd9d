import { type ClientHttp2Stream, constants } from 'node:http2';
import { STATUS, type StatusCode } from '../errors.ts';
import {
  type IncomingCall,
  type Metadata,
  readStatus,
  respond,
  statusOfError,
  statusTrailers,
} from '../grpc/index.ts';
import type { RuntimeConnection } from './connection.ts';
import { failureOf, openCall, responseHead, trailersOf } from './outgoing-call.ts';

/**
 * Hands a call of any kind to the runtime and its answer to the client, both as they come: nothing is kept, and nothing
 * is understood.
 * @returns the status that the client was given
 * @throws {ImageServiceError} when there was no answer; the signal's reason when that is aborted
 */
export async function passThrough(connection: RuntimeConnection, call: IncomingCall): Promise<StatusCode> {
  const { stream: client, signal } = call;
  const runtime = await openCall(connection, call.path, call.metadata);
  const cancel = () => runtime.close(constants.NGHTTP2_CANCEL);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    if (signal.aborted) cancel();
    const trailers = trailersOf(runtime);
    runtime.on('error', () => undefined);
    client.pipe(runtime);
    const head = await responseHead(runtime, connection.socket);
    if (head.isEnd) {
      answerHead(call, head.metadata, true);
      return readStatus(head.metadata)?.code ?? STATUS.UNKNOWN;
    }
    answerHead(call, head.metadata, false);
    await copyBody(runtime, call);
    return finish(call, trailers() ?? trailersOfFailure(runtime, connection, signal));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
    client.unpipe(runtime);
    client.resume();
    if (!runtime.closed) cancel();
  }
}

function answerHead({ stream }: IncomingCall, metadata: Metadata, isEnd: boolean): void {
  if (stream.destroyed || stream.closed) return;
  respond(stream, metadata, isEnd ? { endStream: true } : { waitForTrailers: true });
}

/** Ends with the runtime's part of the call, well or not; whichever shows in the trailers. */
async function copyBody(runtime: ClientHttp2Stream, { stream }: IncomingCall): Promise<void> {
  await new Promise<void>((resolve) => {
    runtime.once('close', resolve);
    runtime.once('end', resolve);
    stream.once('close', resolve);
    runtime.pipe(stream, { end: false });
  });
}

function trailersOfFailure(
  runtime: ClientHttp2Stream,
  connection: RuntimeConnection,
  signal: AbortSignal,
): Metadata {
  const error = signal.aborted ? signal.reason : failureOf(runtime, connection.socket);
  const { code, message } = statusOfError(error);
  return statusTrailers(code, message);
}

function finish({ stream }: IncomingCall, trailers: Metadata): StatusCode {
  if (!stream.destroyed && !stream.closed) {
    stream.once('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end();
  }
  return readStatus(trailers)?.code ?? STATUS.UNKNOWN;
}
