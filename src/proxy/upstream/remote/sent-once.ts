import type { ByteStream } from '../../../core/index.ts';
import type { StreamedBody } from './transport/index.ts';

/** A body that knows whether it has begun to flow: then it can't be sent again, whatever is answered. */
export class SentOnce implements StreamedBody {
  readonly sizeBytes: number | undefined;
  readonly bytes: ByteStream;
  #begun = false;

  constructor({ sizeBytes, bytes }: StreamedBody) {
    this.sizeBytes = sizeBytes;
    this.bytes = {
      [Symbol.asyncIterator]: () => {
        this.#begun = true;
        return bytes[Symbol.asyncIterator]();
      },
    };
  }

  get begun(): boolean {
    return this.#begun;
  }
}
