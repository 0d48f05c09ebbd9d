import type { ByteStream } from '../../../../core/index.ts';
import type { RequestBody } from '../../request-body.ts';

/** How long the upstream may take to note what came before the client went away. */
const SALVAGE_MS = 30_000;

/**
 * A chunk that ends where its client breaks off, as if that had been all: what came is kept, and the upload can go on
 * behind it.
 */
export class SalvagedBody {
  readonly bytes: ByteStream;
  /** For the request that sends it: a client that goes away does not end that at once. */
  readonly signal: AbortSignal;
  readonly #limit = new AbortController();
  #count = 0;
  #broken: { readonly reason: unknown } | undefined;

  /** @param gone aborted when the client has gone away */
  constructor(body: RequestBody, gone: AbortSignal) {
    this.signal = this.#limit.signal;
    const end = () => this.#break(gone.reason);
    if (gone.aborted) end();
    gone.addEventListener('abort', end, { once: true });
    this.bytes = { [Symbol.asyncIterator]: () => this.#read(body.bytes[Symbol.asyncIterator]()) };
  }

  /** Bytes that were passed on. */
  get count(): number {
    return this.#count;
  }

  /** Why the client will not hear the answer, or did not send all; undefined where all is well. */
  get broken(): { readonly reason: unknown } | undefined {
    return this.#broken;
  }

  #read(source: AsyncIterator<Uint8Array>): AsyncIterator<Uint8Array> {
    return {
      next: async () => {
        try {
          const next = await source.next();
          if (!next.done) this.#count += next.value.length;
          return next;
        } catch (error) {
          this.#break(error);
          return { done: true, value: undefined };
        }
      },
      return: async () => {
        await source.return?.();
        return { done: true, value: undefined };
      },
    };
  }

  #break(reason: unknown): void {
    if (this.#broken) return;
    this.#broken = { reason };
    setTimeout(() => this.#limit.abort(reason), SALVAGE_MS).unref();
  }
}
