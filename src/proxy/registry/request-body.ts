import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ByteStream } from '../../core/index.ts';
import { RegistryError } from '../../oci/index.ts';

export interface RequestBodyOptions {
  /** A client that sends no byte for so long is given up. */
  readonly progressTimeoutMs: number;
  readonly onBytes: (count: number) => void;
}

/** So much of a body that nobody wants is taken in, so that its sender gets to read the answer. */
const DISCARDED_BYTES = 16 * 1024 * 1024;
const DISCARD_MS = 2000;

const END: IteratorResult<Uint8Array, void> = { done: true, value: undefined };

/**
 * The body of a request. It is read at the pace of whoever asks for the next chunk, and not at all when nobody does; a
 * client that waits to be asked (`Expect: 100-continue`) is asked then.
 */
export class RequestBody {
  /** Undefined where the client does not say. */
  readonly sizeBytes: number | undefined;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: RequestBodyOptions;
  #begun = false;

  constructor(request: IncomingMessage, response: ServerResponse, options: RequestBodyOptions) {
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    this.sizeBytes = encoding === undefined ? Number(length ?? 0) : undefined;
    this.#request = request;
    this.#response = response;
    this.#options = options;
  }

  /** Can be read once. Leaving it early leaves the rest unread, and the connection as it is. */
  get bytes(): ByteStream {
    return { [Symbol.asyncIterator]: () => this.#read() };
  }

  /** Whether something of it may still come. */
  get unread(): boolean {
    return this.sizeBytes !== 0 && !this.#request.readableEnded;
  }

  /** Takes in a part of what nobody wants, for a while. A client that waits to be asked sends nothing. */
  discard(): Promise<void> {
    const request = this.#request;
    if (!this.unread || request.destroyed || (this.#awaitsContinue && !this.#begun)) return Promise.resolve();
    return new Promise((resolve) => {
      let left = DISCARDED_BYTES;
      const done = () => {
        clearTimeout(timer);
        request.off('data', onData).off('end', done).off('close', done).pause();
        resolve();
      };
      const onData = (chunk: Buffer) => {
        left -= chunk.length;
        if (left < 0) done();
      };
      const timer = setTimeout(done, DISCARD_MS);
      request.on('data', onData).on('end', done).on('close', done).resume();
    });
  }

  get #awaitsContinue(): boolean {
    return this.#request.headers.expect !== undefined;
  }

  #read(): AsyncIterator<Uint8Array, void> {
    if (this.#begun) throw new Error('the body of a request is read a second time');
    this.#begun = true;
    const request = this.#request;
    if (this.#awaitsContinue && !this.#response.headersSent) this.#response.writeContinue();
    let left = false;
    let wake: (() => void) | undefined;
    const take = (): IteratorResult<Uint8Array, void> | undefined => {
      const chunk: Buffer | null = request.read();
      if (chunk !== null) {
        this.#options.onBytes(chunk.length);
        return { done: false, value: chunk };
      }
      if (request.readableEnded) return END;
      if (request.destroyed) throw new Error('the client went away in the middle of a body');
      return undefined;
    };
    return {
      next: async () => {
        while (!left) {
          const taken = take();
          if (taken) return taken;
          await this.#more((stop) => {
            wake = stop;
          });
        }
        return END;
      },
      return: async () => {
        left = true;
        wake?.();
        return END;
      },
    };
  }

  /** Waits until there is something to read, the end, or whoever waits wants no more. */
  #more(stoppable: (stop: () => void) => void): Promise<void> {
    const request = this.#request;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => () => {
        clearTimeout(timer);
        request.off('readable', go).off('end', go).off('close', go).off('error', go);
        act();
      };
      const go = settle(resolve);
      const timer = setTimeout(
        settle(() => reject(tooSlow())),
        this.#options.progressTimeoutMs,
      );
      stoppable(go);
      request.on('readable', go).on('end', go).on('close', go).on('error', go);
    });
  }
}

function tooSlow(): RegistryError {
  return new RegistryError('BLOB_UPLOAD_INVALID', 'the body took too long to arrive', { status: 408 });
}
