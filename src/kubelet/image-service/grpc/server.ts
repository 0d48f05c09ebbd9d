import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { FrontStream, HEADER_LIST_LIMIT_BYTES, HEADER_TABLE_BYTES } from '../front/index.ts';
import { IncomingCall } from './incoming-call.ts';

const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024;
const MOST_STREAMS = 1000;
const MOST_CONNECTIONS = 256;
/** Of one connection, in and out: a few messages of the largest size. */
const SESSION_MEMORY_MEGABYTES = 128;

/** Serves gRPC calls on the connections that it is given. */
export interface GrpcServer {
  /** Takes over a client's connection. */
  accept(socket: Socket): void;
  /** Lets running calls end and takes no new ones; resolves when none is left. */
  drain(): Promise<void>;
  /** Ends everything now. */
  close(): void;
}

/** @param onCall answers the call; never rejects */
export function createGrpcServer(onCall: (call: IncomingCall) => void): GrpcServer {
  const sessions = new Set<ServerHttp2Session>();
  let connections = 0;
  let draining = false;
  const server = createServer({
    maxSessionMemory: SESSION_MEMORY_MEGABYTES,
    settings: {
      headerTableSize: HEADER_TABLE_BYTES,
      maxHeaderListSize: HEADER_LIST_LIMIT_BYTES,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxConcurrentStreams: MOST_STREAMS,
    },
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    if (draining) session.close();
  });
  // A connection that broke ends by itself.
  server.on('sessionError', () => undefined);
  server.on(
    'stream',
    (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) =>
      onCall(new IncomingCall(stream, headers, raw)),
  );
  return {
    accept(socket) {
      if (draining || connections >= MOST_CONNECTIONS) {
        socket.destroy();
        return;
      }
      connections += 1;
      const front = new FrontStream(socket);
      front.once('close', () => {
        connections -= 1;
      });
      front.on('error', () => undefined);
      server.emit('connection', front);
    },
    async drain() {
      draining = true;
      await Promise.all(
        [...sessions].map(
          (session) =>
            new Promise<void>((resolve) => {
              session.once('close', resolve);
              session.close();
            }),
        ),
      );
    },
    close() {
      draining = true;
      for (const session of sessions) session.destroy();
    },
  };
}
