import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { frameMessage, type Metadata, metadataOf } from '../../../../src/kubelet/image-service/grpc/index.ts';

/** A call as the runtime saw it. */
export interface SeenCall {
  readonly path: string;
  readonly metadata: Metadata;
  readonly stream: ServerHttp2Stream;
  /** The whole body, once it is there. */
  readonly body: Promise<Buffer>;
  /** Resolves with the HTTP/2 code when the stream is closed. */
  readonly closed: Promise<number>;
  /** Answers with these messages. */
  reply(messages: readonly Uint8Array[], more?: { headers?: Metadata; trailers?: Metadata }): void;
  /** Answers with a status only. */
  fail(status: number, message: string, more?: Metadata): void;
}

/** Something that speaks gRPC on a unix socket and answers as a test says. */
export interface FakeRuntime {
  readonly socket: string;
  readonly calls: SeenCall[];
  onCall: (call: SeenCall) => void | Promise<void>;
  /** Ends all connections at once, and listens no longer. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startFakeRuntime(): Promise<FakeRuntime> {
  const folder = await mkdtemp(join(tmpdir(), 'drp-runtime-'));
  const socket = join(folder, 'r.sock');
  const sessions = new Set<ServerHttp2Session>();
  let server: Http2Server | undefined;
  const runtime: FakeRuntime = {
    socket,
    calls: [],
    onCall: (call) => call.reply([]),
    async start() {
      server = createServer({ settings: { initialWindowSize: 1024 * 1024 }, maxSessionMemory: 100 });
      server.on('session', (session) => {
        sessions.add(session);
        session.on('error', () => undefined);
        session.once('close', () => sessions.delete(session));
      });
      server.on(
        'stream',
        (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
          const seen = see(stream, String(headers[':path']), raw);
          runtime.calls.push(seen);
          void runtime.onCall(seen);
        },
      );
      server.listen({ path: socket });
      await once(server, 'listening');
    },
    async stop() {
      for (const session of sessions) session.destroy();
      const stopped = server;
      server = undefined;
      if (stopped?.listening) await new Promise((resolve) => stopped.close(resolve));
    },
    async close() {
      await runtime.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await runtime.start();
  return runtime;
}

function see(stream: ServerHttp2Stream, path: string, raw: string[]): SeenCall {
  const chunks: Buffer[] = [];
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const reply: SeenCall['reply'] = (messages, { headers = {}, trailers = {} } = {}) => {
    if (stream.destroyed) return;
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', ...headers },
      { waitForTrailers: true },
    );
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', ...trailers }));
    stream.end(Buffer.concat(messages.map(frameMessage)));
  };
  return {
    path,
    metadata: metadataOf(raw),
    stream,
    body: new Promise((resolve) => stream.once('end', () => resolve(Buffer.concat(chunks)))),
    closed: new Promise((resolve) => stream.once('close', () => resolve(stream.rstCode ?? 0))),
    reply,
    fail(status, message, more = {}) {
      if (stream.destroyed) return;
      const headers = {
        ':status': 200,
        'content-type': 'application/grpc',
        'grpc-status': String(status),
        'grpc-message': message,
      };
      stream.respond({ ...headers, ...more }, { endStream: true });
    },
  };
}
