import { type ClientHttp2Stream, constants } from 'node:http2';
import { BackendAwayError } from '../away.ts';
import { ImageServiceError, STATUS } from '../errors.ts';
import { codeOfReset, type Metadata, metadataOf } from '../grpc/index.ts';
import type { RuntimeConnection } from './connection.ts';

/** The first part of an answer. */
export interface ResponseHead {
  readonly metadata: Metadata;
  /** Whether it is the whole answer. */
  readonly isEnd: boolean;
}

/** Of Node, for a connection that takes no more calls. */
const SESSION_ERRORS: readonly unknown[] = [
  'ERR_HTTP2_INVALID_SESSION',
  'ERR_HTTP2_GOAWAY_SESSION',
  'ERR_HTTP2_OUT_OF_STREAMS',
];

/**
 * Begins a call on the runtime.
 * @throws {BackendAwayError}; {ImageServiceError} for metadata that can't be sent
 */
export async function openCall(
  connection: RuntimeConnection,
  path: string,
  metadata: Metadata,
): Promise<ClientHttp2Stream> {
  const session = await connection.session();
  try {
    const pseudo = { ':method': 'POST', ':scheme': 'http', ':path': path, ':authority': 'localhost' };
    return session.request(Object.assign(Object.create(null), pseudo, metadata), { endStream: false });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (SESSION_ERRORS.includes(code)) throw new BackendAwayError(connection.socket, { cause });
    const reason = `the metadata of the call can not be passed on: ${message}`;
    throw new ImageServiceError(STATUS.INVALID_ARGUMENT, reason, { cause });
  }
}

/** Resolves with the head of the answer. @throws what {@link failureOf} says */
export function responseHead(stream: ClientHttp2Stream, socket: string): Promise<ResponseHead> {
  return new Promise((resolve, reject) => {
    stream.once('response', (_headers, flags: number, raw?: unknown) =>
      resolve({
        metadata: metadataOf(raw as string[]),
        isEnd: (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0,
      }),
    );
    stream.once('error', () => undefined);
    stream.once('close', () => reject(failureOf(stream, socket)));
  });
}

/** The trailers, once they are here; asked before the body is read. */
export function trailersOf(stream: ClientHttp2Stream): () => Metadata | undefined {
  let trailers: Metadata | undefined;
  stream.once('trailers', (_headers, _flags: number, raw?: unknown) => {
    trailers = metadataOf(raw as string[]);
  });
  return () => trailers;
}

/** Why a call ended before it was answered in full. */
export function failureOf(stream: ClientHttp2Stream, socket: string): ImageServiceError {
  const { rstCode, session } = stream;
  const isLost = !session || session.destroyed || rstCode === constants.NGHTTP2_NO_ERROR;
  if (isLost || rstCode === constants.NGHTTP2_REFUSED_STREAM) return new BackendAwayError(socket);
  return new ImageServiceError(
    codeOfReset(rstCode),
    `the container runtime ended the call (HTTP/2 error ${rstCode})`,
  );
}
