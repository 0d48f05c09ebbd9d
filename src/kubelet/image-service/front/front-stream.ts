import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { createAuthorityRewriter } from './authority-rewriter.ts';
import { ConnectionError } from './errors.ts';
import { goAway } from './frame.ts';
import { createGoAwayWatch } from './go-away-watch.ts';

/**
 * A client's connection as the HTTP/2 server is to see it. What the server writes goes out as it is; a client that breaks
 * the protocol is told with a GOAWAY, and its connection ends, and nobody else's.
 */
export class FrontStream extends Duplex {
  readonly #socket: Socket;
  readonly #rewriter = createAuthorityRewriter();
  readonly #watch = createGoAwayWatch();

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', () => this.destroy());
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // Node tells a client of an error, and then waits for it to leave.
    if (this.#watch.see(chunk)) this.#socket.end(chunk, () => this.destroy());
    else this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #onData(chunk: Buffer): void {
    if (this.destroyed) return;
    try {
      let wantsMore = true;
      for (const part of this.#rewriter.rewrite(chunk)) wantsMore = this.push(part);
      if (!wantsMore) this.#socket.pause();
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      // Once it is sent, the connection is torn down from both sides.
      this.#socket.removeAllListeners('data').resume();
      this.#socket.end(goAway(error.code), () => this.destroy());
    }
  }
}
