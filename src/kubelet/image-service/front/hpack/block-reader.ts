import { HpackError } from './errors.ts';
import { decodeHuffman } from './huffman.ts';

/** More would not fit into what any of our limits allows. */
const MOST_INTEGER_BYTES = 4;
const HUFFMAN_FLAG = 0x80;

/** Reads integers and strings from a header block. @see RFC 7541, section 5 */
export class BlockReader {
  readonly #block: Buffer;
  #offset = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  get atEnd(): boolean {
    return this.#offset >= this.#block.length;
  }

  /** The next byte, which stays the next. @throws {HpackError} at the end */
  peek(): number {
    const byte = this.#block[this.#offset];
    if (byte === undefined) throw new HpackError('compression', 'a header block is cut short');
    return byte;
  }

  /** @param prefixBits how many bits of the first byte belong to it */
  integer(prefixBits: number): number {
    const mask = 2 ** prefixBits - 1;
    let value = this.#next() & mask;
    if (value < mask) return value;
    for (let index = 0; index < MOST_INTEGER_BYTES; index += 1) {
      const byte = this.#next();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new HpackError('compression', 'an integer is too large');
  }

  string(limitBytes: number): Buffer {
    const isHuffman = (this.peek() & HUFFMAN_FLAG) !== 0;
    const length = this.integer(7);
    const end = this.#offset + length;
    if (end > this.#block.length) throw new HpackError('compression', 'a string is cut short');
    const bytes = this.#block.subarray(this.#offset, end);
    this.#offset = end;
    if (isHuffman) return decodeHuffman(bytes, limitBytes);
    if (length > limitBytes) throw new HpackError('too-large', 'a header is too long');
    // A copy: it may stay in the table for as long as the connection.
    return Buffer.from(bytes);
  }

  #next(): number {
    const byte = this.peek();
    this.#offset += 1;
    return byte;
  }
}
