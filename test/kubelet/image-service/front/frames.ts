import { parseFrameHeader } from '../../../../src/kubelet/image-service/front/frame.ts';

/** A frame of HTTP/2. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

const PREFACE_BYTES = 24;
const HEADER_BYTES = 9;

/** The frames of what a client has sent, which begins with the preface. */
export function splitFrames(bytes: Buffer): Frame[] {
  return parseFrames(bytes.subarray(PREFACE_BYTES));
}

/** The frames of what a server has sent. */
export function parseFrames(bytes: Buffer): Frame[] {
  return takeFrames(bytes).frames;
}

/** The whole frames, and what is left of one that has only begun. */
export function takeFrames(bytes: Buffer): { readonly frames: Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = [];
  let offset = 0;
  while (offset + HEADER_BYTES <= bytes.length) {
    const { length, ...header } = parseFrameHeader(bytes.subarray(offset, offset + HEADER_BYTES));
    const start = offset + HEADER_BYTES;
    if (start + length > bytes.length) break;
    frames.push({ ...header, payload: bytes.subarray(start, start + length) });
    offset = start + length;
  }
  return { frames, rest: bytes.subarray(offset) };
}
