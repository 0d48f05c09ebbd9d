import { Duplex } from 'node:stream';
import { FLAG, FRAME_TYPE, frame, PREFACE } from '../../../../src/kubelet/image-service/front/frame.ts';
import { type Frame, takeFrames } from '../front/frames.ts';

/** What stands between a client and its socket. */
export type Connection = (plain: Duplex) => Duplex;

/** Small, and no less than the fields of a priority, which don't go over into another frame. */
const PIECE_BYTES = 6;

/** Writes each byte in a packet of its own. */
export function oneByteAtATime(plain: Duplex): Duplex {
  return writing(plain, (chunk) => [...chunk].map((byte) => Buffer.of(byte)));
}

/** Sends headers as most servers never see them: a few bytes in a frame, and the rest in CONTINUATION frames. */
export function headersInPieces(plain: Duplex): Duplex {
  let rest: Buffer = Buffer.alloc(0);
  let isBegun = false;
  return writing(plain, (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const output: Buffer[] = [];
    if (!isBegun) {
      if (rest.length < PREFACE.length) return output;
      output.push(rest.subarray(0, PREFACE.length));
      rest = rest.subarray(PREFACE.length);
      isBegun = true;
    }
    const taken = takeFrames(rest);
    rest = taken.rest;
    return [...output, ...taken.frames.flatMap(inPieces)];
  });
}

function inPieces({ type, flags, streamId, payload }: Frame): Buffer[] {
  if (type !== FRAME_TYPE.HEADERS) return [frame(type, flags, streamId, payload)];
  const pieces: Buffer[] = [];
  for (let from = 0; from < payload.length; from += PIECE_BYTES) {
    pieces.push(payload.subarray(from, from + PIECE_BYTES));
  }
  return pieces.map((piece, index) => {
    const end = index === pieces.length - 1 ? FLAG.END_HEADERS : 0;
    return index === 0
      ? frame(FRAME_TYPE.HEADERS, (flags & ~FLAG.END_HEADERS) | end, streamId, piece)
      : frame(FRAME_TYPE.CONTINUATION, end, streamId, piece);
  });
}

/** A connection that writes something else in place of each chunk, one part after the other. */
function writing(plain: Duplex, change: (chunk: Buffer) => readonly Buffer[]): Duplex {
  const changed = new Duplex({
    read: () => void plain.resume(),
    write(chunk: Buffer, _encoding, done) {
      const parts = [...change(chunk)];
      const next = (error?: Error | null): void => {
        const part = error ? undefined : parts.shift();
        if (part) plain.write(part, () => setImmediate(next));
        else done(error);
      };
      next();
    },
    final: (done) => void plain.end(() => done()),
    destroy(error, done) {
      plain.destroy();
      done(error);
    },
  });
  plain.on('data', (chunk) => changed.push(chunk));
  plain.on('end', () => changed.push(null));
  plain.on('error', () => changed.destroy());
  return changed;
}
