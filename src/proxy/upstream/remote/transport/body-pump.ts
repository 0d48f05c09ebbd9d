import type { ClientRequest } from 'node:http';
import { UpstreamError } from '../../errors.ts';
import type { StreamedBody } from './transport.ts';

/** Why a body's source failed: it is not the connection's fault, and is told as it is. */
export class SourceFailure extends Error {
  constructor(override readonly cause: unknown) {
    super('the source of a body failed', { cause });
  }
}

/**
 * Sends a body chunk by chunk, each one written out before the next is asked for: nothing piles up, and the source may
 * use its memory again.
 */
export class BodyPump {
  readonly #message: ClientRequest;
  readonly #body: StreamedBody;
  readonly #progressTimeoutMs: number;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #stopped = false;

  constructor(message: ClientRequest, body: StreamedBody, progressTimeoutMs: number) {
    this.#message = message;
    this.#body = body;
    this.#progressTimeoutMs = progressTimeoutMs;
  }

  /**
   * @throws {SourceFailure}
   * @throws when a chunk can't be written, or not in time
   */
  async run(): Promise<void> {
    this.#iterator = this.#body.bytes[Symbol.asyncIterator]();
    let sent = 0;
    for (;;) {
      const next = await nextOf(this.#iterator);
      if (this.#stopped) return;
      if (next.done) break;
      await this.#write(next.value);
      sent += next.value.length;
    }
    if (sent !== (this.#body.sizeBytes ?? sent)) {
      throw new UpstreamError('unreachable', `a body had ${sent} bytes instead of ${this.#body.sizeBytes}`);
    }
    this.#message.end();
  }

  /** Nobody wants the rest any more; a source that was begun is let go. */
  stop(): void {
    this.#stopped = true;
    Promise.resolve(this.#iterator?.return?.()).catch(() => {});
  }

  #write(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = () =>
        reject(new UpstreamError('unreachable', 'the registry takes no more bytes of a body'));
      const timer = setTimeout(late, this.#progressTimeoutMs);
      this.#message.write(chunk, (error) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      });
    });
  }
}

async function nextOf(iterator: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
  try {
    return await iterator.next();
  } catch (error) {
    throw new SourceFailure(error);
  }
}
