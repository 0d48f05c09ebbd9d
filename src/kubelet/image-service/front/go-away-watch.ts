import { FRAME_HEADER_BYTES, FRAME_TYPE, parseFrameHeader } from './frame.ts';

/** Of a GOAWAY frame: the last stream, and the error code. */
const GO_AWAY_BYTES = 8;
const CODE_OFFSET = 4;

/** Looks through what a server sends for a GOAWAY that tells of an error. */
export interface GoAwayWatch {
  /** @returns whether there was one, in this chunk or before */
  see(chunk: Buffer): boolean;
}

export function createGoAwayWatch(): GoAwayWatch {
  /** Bytes of the present frame that are collected: its header, and of a GOAWAY what it says. */
  let head = Buffer.alloc(0);
  let skip = 0;
  let found = false;

  /** @returns what is left of the chunk */
  function step(chunk: Buffer): Buffer {
    if (skip > 0) {
      const rest = chunk.subarray(skip);
      skip -= chunk.length - rest.length;
      return rest;
    }
    const wanted = head.length < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES : FRAME_HEADER_BYTES + GO_AWAY_BYTES;
    const part = chunk.subarray(0, wanted - head.length);
    head = Buffer.concat([head, part]);
    if (head.length === wanted) onHead();
    return chunk.subarray(part.length);
  }

  function onHead(): void {
    const { type, length } = parseFrameHeader(head);
    const isGoAway = type === FRAME_TYPE.GOAWAY && length >= GO_AWAY_BYTES;
    if (isGoAway && head.length === FRAME_HEADER_BYTES) return;
    if (isGoAway && head.readUInt32BE(FRAME_HEADER_BYTES + CODE_OFFSET) !== 0) found = true;
    skip = length - (head.length - FRAME_HEADER_BYTES);
    head = Buffer.alloc(0);
  }

  return {
    see(chunk) {
      for (let rest = chunk; rest.length > 0; ) rest = step(rest);
      return found;
    },
  };
}
