import { type ClientHttp2Session, connect } from 'node:http2';
import { createConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { frameMessage, type Metadata, metadataOf } from '../../../../src/kubelet/image-service/grpc/index.ts';

/** How a call was answered, byte for byte. */
export interface Reply {
  readonly headers: Metadata;
  readonly body: Buffer;
  readonly trailers: Metadata | undefined;
  /** `grpc-status`. */
  readonly status: number;
  /** `grpc-message`. */
  readonly message: string;
  /** The HTTP/2 code that the stream was reset with; 0 when it was not. */
  readonly reset: number;
}

export interface CallOptions {
  readonly metadata?: Readonly<Record<string, string | readonly string[]>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A gRPC client on a unix socket, as a kubelet is one. */
export interface Kubelet {
  readonly session: ClientHttp2Session;
  /** @param method such as `ListImages`, or a whole path */
  call(method: string, message?: Uint8Array, options?: CallOptions): Promise<Reply>;
  close(): void;
}

export interface KubeletOptions {
  /** The `:authority` that it sends. */
  readonly authority?: string;
  readonly version?: 'v1' | 'v1alpha2';
  /** What is between it and the socket. */
  readonly wrap?: (socket: Duplex) => Duplex;
}

export function createKubelet(
  socket: string,
  { authority = 'localhost', version = 'v1', wrap = (plain) => plain }: KubeletOptions = {},
): Kubelet {
  const session = connect('http://localhost', {
    createConnection: () => wrap(createConnection({ path: socket })),
  });
  session.on('error', () => undefined);
  return {
    session,
    call: (method, message = new Uint8Array(), options = {}) => {
      const path = method.startsWith('/') ? method : `/runtime.${version}.ImageService/${method}`;
      return call(session, { path, authority, message, ...options });
    },
    close: () => session.destroy(),
  };
}

/** The only message of a reply. */
export function messageOf<Schema extends DescMessage>(schema: Schema, { body }: Reply): MessageShape<Schema> {
  return fromBinary(schema, body.subarray(5));
}

function call(
  session: ClientHttp2Session,
  {
    path,
    authority,
    message,
    metadata = {},
    timeoutMs,
    signal,
  }: CallOptions & { readonly path: string; readonly authority: string; readonly message: Uint8Array },
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      ':authority': authority,
      'content-type': 'application/grpc',
      'user-agent': 'grpc-go/1.58.3',
      te: 'trailers',
      ...(timeoutMs !== undefined && { 'grpc-timeout': `${timeoutMs}m` }),
      ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, [value].flat()])),
    });
    const chunks: Buffer[] = [];
    let headers: Metadata | undefined;
    let trailers: Metadata | undefined;
    signal?.addEventListener('abort', () => stream.close(8));
    stream.on('response', (_headers, _flags: number, raw?: unknown) => {
      headers = metadataOf(raw as string[]);
    });
    stream.on('trailers', (_headers, _flags: number, raw?: unknown) => {
      trailers = metadataOf(raw as string[]);
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => undefined);
    stream.on('close', () => {
      const last = trailers ?? headers;
      if (!headers && stream.rstCode === 0) reject(new Error('the connection was lost'));
      else
        resolve({
          headers: headers ?? {},
          trailers,
          body: Buffer.concat(chunks),
          status: Number(last?.['grpc-status'] ?? -1),
          message: decodeURIComponent(String(last?.['grpc-message'] ?? '')),
          reset: stream.rstCode ?? 0,
        });
    });
    stream.end(frameMessage(message));
  });
}
