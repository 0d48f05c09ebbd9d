import { type ClientHttp2Session, connect } from 'node:http2';
import { createConnection } from 'node:net';
import type { Clock } from '../../../core/index.ts';
import { BackendAwayError } from '../away.ts';

const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024;
const SESSION_MEMORY_MEGABYTES = 128;
const CONNECT_TIMEOUT_MS = 5000;
const PING_TIMEOUT_MS = 5000;
/** A runtime that has just come up answers some calls with errors until all of its parts are there. */
const STARTUP_MS = 30_000;

/** The connection to a runtime's socket: made when it is needed, and anew when it was lost. */
export interface RuntimeConnection {
  readonly socket: string;
  /** @throws {BackendAwayError} */
  session(): Promise<ClientHttp2Session>;
  /** Whether the runtime was connected to so lately that it may still be starting. */
  isFresh(): boolean;
  /** Looks whether anybody is at the other end; a connection that is dead is given up. */
  check(): void;
  /** Ends calls that are still under way. */
  close(): Promise<void>;
}

export function createRuntimeConnection(socket: string, clock: Clock): RuntimeConnection {
  let current: Promise<ClientHttp2Session> | undefined;
  let connectedAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  function open(): Promise<ClientHttp2Session> {
    const transport = createConnection({ path: socket });
    const session = connect('http://localhost', {
      createConnection: () => transport,
      maxSessionMemory: SESSION_MEMORY_MEGABYTES,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
    });
    const opened = new Promise<ClientHttp2Session>((resolve, reject) => {
      const fail = (cause?: unknown) => {
        session.destroy();
        reject(new BackendAwayError(socket, { cause }));
      };
      const timer = setTimeout(fail, CONNECT_TIMEOUT_MS);
      const forget = () => {
        clearTimeout(timer);
        if (current === opened) current = undefined;
      };
      session.once('connect', () => {
        clearTimeout(timer);
        connectedAt = clock.now();
        session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
        // It does not keep the process alive; calls under way do.
        session.unref();
        resolve(session);
      });
      session.on('error', (error) => {
        forget();
        fail(error);
      });
      session.once('close', () => {
        forget();
        fail();
      });
      // From here on it takes no new calls; those under way end on it.
      session.once('goaway', forget);
    });
    return opened;
  }

  return {
    socket,
    async session() {
      if (closed) throw new BackendAwayError(socket);
      for (;;) {
        current ??= open();
        const pending = current;
        const session = await pending;
        if (!session.closed && !session.destroyed) return session;
        if (current === pending) current = undefined;
      }
    },
    isFresh: () => clock.now() - connectedAt < STARTUP_MS,
    check() {
      current?.then(
        (session) => {
          if (session.destroyed) return;
          const timer = setTimeout(() => session.destroy(), PING_TIMEOUT_MS).unref();
          session.ping(() => clearTimeout(timer));
        },
        () => undefined,
      );
    },
    async close() {
      closed = true;
      const session = await current?.catch(() => undefined);
      session?.destroy();
    },
  };
}
