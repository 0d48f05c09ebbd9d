import { UpstreamError } from '../../errors.ts';

const CR = 0x0d;
const LF = 0x0a;
const MAXIMUM_SIZE_LINE_BYTES = 256;
const MAXIMUM_TRAILER_BYTES = 8192;
const SIZE_LINE = /^([0-9A-Fa-f]{1,12})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;

type State = 'size' | 'data' | 'data-end' | 'trailers' | 'done';

/**
 * Takes the frames off a chunked body, from reads of any size. Chunk extensions and trailers are bounded and
 * dropped.
 * @see RFC 9112, section 7.1
 */
export class ChunkedDecoder {
  #state: State = 'size';
  #line = '';
  #remaining = 0;
  #trailerBytes = 0;

  /** Whether the last chunk and its trailers have come. */
  get done(): boolean {
    return this.#state === 'done';
  }

  /**
   * @returns the data in these bytes, as views of them. Nothing may follow the end of the body.
   * @throws {UpstreamError} `faulty`
   */
  *decode(bytes: Uint8Array): Generator<Uint8Array, void> {
    let position = 0;
    while (position < bytes.length) {
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, position + this.#remaining);
        this.#remaining -= end - position;
        if (this.#remaining === 0) this.#state = 'data-end';
        const part = bytes.subarray(position, end);
        position = end;
        yield part;
      } else if (this.#state === 'done') {
        throw faulty('goes on after its last chunk');
      } else {
        this.#framing(bytes[position] ?? 0);
        position += 1;
      }
    }
  }

  #framing(byte: number): void {
    if (this.#line.endsWith('\r')) {
      if (byte !== LF) throw faulty('has a bare CR between chunks');
      const line = this.#line.slice(0, -1);
      this.#line = '';
      this.#endOfLine(line);
      return;
    }
    if (byte === LF) throw faulty('has a bare LF between chunks');
    this.#line += byte === CR ? '\r' : String.fromCharCode(byte);
    if (this.#state === 'data-end' && byte !== CR) throw faulty('has a chunk longer than it said');
    if (this.#state === 'size' && this.#line.length > MAXIMUM_SIZE_LINE_BYTES) {
      throw faulty('has a chunk size without end');
    }
    if (this.#state === 'trailers' && ++this.#trailerBytes > MAXIMUM_TRAILER_BYTES) {
      throw faulty('has trailers without end');
    }
  }

  #endOfLine(line: string): void {
    if (this.#state === 'data-end') this.#state = 'size';
    else if (this.#state === 'trailers') this.#state = line === '' ? 'done' : 'trailers';
    else {
      const size = SIZE_LINE.exec(line)?.[1];
      if (size === undefined) throw faulty('has a chunk size that is no number');
      this.#remaining = Number.parseInt(size, 16);
      this.#state = this.#remaining === 0 ? 'trailers' : 'data';
    }
  }
}

function faulty(what: string): UpstreamError {
  return new UpstreamError('faulty', `a chunked body ${what}`);
}
