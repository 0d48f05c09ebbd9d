import { ConnectionError, HTTP2_ERROR } from './errors.ts';
import { FLAG, FRAME_LIMIT_BYTES, FRAME_TYPE, type FrameHeader, frame } from './frame.ts';

const PRIORITY_BYTES = 5;
/** Encoded, of a HEADERS frame and its CONTINUATION frames together. */
const BLOCK_LIMIT_BYTES = 65_536;
/** Frames may be empty, so that the limit on bytes alone would not end a flood of them. */
const MOST_FRAMES = 1024;

/** A header block while its frames come in. @see RFC 9113, sections 6.2 and 6.10 */
export class HeaderBlock {
  readonly streamId: number;
  readonly #flags: number;
  readonly #priority: Buffer;
  readonly #parts: Buffer[];
  #sizeBytes: number;

  /** @param payload of the HEADERS frame; its padding is dropped */
  constructor({ flags, streamId }: FrameHeader, payload: Buffer) {
    if (streamId === 0) throw new ConnectionError(HTTP2_ERROR.PROTOCOL_ERROR, 'headers outside of a stream');
    const isPadded = (flags & FLAG.PADDED) !== 0;
    const start = isPadded ? 1 : 0;
    const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
    const blockStart = start + ((flags & FLAG.PRIORITY) !== 0 ? PRIORITY_BYTES : 0);
    if (blockStart > end) throw new ConnectionError(HTTP2_ERROR.PROTOCOL_ERROR, 'more padding than frame');
    this.streamId = streamId;
    this.#flags = flags & ~(FLAG.PADDED | FLAG.END_HEADERS);
    this.#priority = payload.subarray(start, blockStart);
    this.#parts = [payload.subarray(blockStart, end)];
    this.#sizeBytes = end - blockStart;
  }

  /** Adds the payload of a CONTINUATION frame. */
  add(payload: Buffer): void {
    this.#parts.push(payload);
    this.#sizeBytes += payload.length;
    if (this.#sizeBytes > BLOCK_LIMIT_BYTES || this.#parts.length > MOST_FRAMES) {
      throw new ConnectionError(HTTP2_ERROR.ENHANCE_YOUR_CALM, 'the headers are too large');
    }
  }

  bytes(): Buffer {
    return this.#parts.length === 1 && this.#parts[0] ? this.#parts[0] : Buffer.concat(this.#parts);
  }

  /** The frames that carry another block in the place of this one. */
  framesWith(block: Buffer): Buffer[] {
    const payload = Buffer.concat([this.#priority, block]);
    const frames: Buffer[] = [];
    for (let from = 0; from === 0 || from < payload.length; from += FRAME_LIMIT_BYTES) {
      const part = payload.subarray(from, from + FRAME_LIMIT_BYTES);
      const type = from === 0 ? FRAME_TYPE.HEADERS : FRAME_TYPE.CONTINUATION;
      const isLast = from + FRAME_LIMIT_BYTES >= payload.length;
      const flags = (from === 0 ? this.#flags : 0) | (isLast ? FLAG.END_HEADERS : 0);
      frames.push(frame(type, flags, this.streamId, part));
    }
    return frames;
  }
}
