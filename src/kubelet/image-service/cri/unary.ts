import { constants } from 'node:http2';
import { finished } from 'node:stream/promises';
import type { UnaryCall } from '../backend.ts';
import { ImageServiceError, STATUS } from '../errors.ts';
import { type Answer, readBody, readStatus } from '../grpc/index.ts';
import type { RuntimeConnection } from './connection.ts';
import { failureOf, openCall, responseHead, trailersOf } from './outgoing-call.ts';

/**
 * Makes a unary call and keeps its answer as it came.
 * @throws {ImageServiceError} when there was no answer with a status; the signal's reason when that is aborted
 */
export async function callUnary(
  connection: RuntimeConnection,
  { path, metadata, body }: UnaryCall,
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted();
  const stream = await openCall(connection, path, metadata);
  const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    if (signal.aborted) cancel();
    const trailers = trailersOf(stream);
    stream.on('error', () => undefined);
    stream.end(body);
    const head = await responseHead(stream, connection.socket);
    if (head.isEnd) {
      stream.resume();
      return answer(connection, head.metadata, Buffer.alloc(0), undefined);
    }
    const answered = await readBody(stream);
    await finished(stream, { writable: false }).catch(() => undefined);
    const last = trailers();
    if (!last) throw failureOf(stream, connection.socket);
    return answer(connection, head.metadata, answered, last);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ImageServiceError) throw error;
    throw failureOf(stream, connection.socket);
  } finally {
    signal.removeEventListener('abort', cancel);
    if (!stream.closed) cancel();
  }
}

function answer(
  connection: RuntimeConnection,
  headers: Answer['headers'],
  body: Buffer,
  trailers: Answer['trailers'],
): Answer {
  const code = readStatus(trailers ?? headers)?.code ?? STATUS.UNKNOWN;
  const isAway = code === STATUS.UNAVAILABLE || (code === STATUS.UNKNOWN && connection.isFresh());
  return { headers, body, trailers, code, isAway };
}
