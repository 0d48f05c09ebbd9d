import type { FileHandle } from 'node:fs/promises';
import type { ByteStream } from '../../../core/index.ts';
import { UpstreamError } from '../errors.ts';
import { asUpstreamError } from './content-file.ts';

const FIRST_READ_BYTES = 64 * 1024;
const LARGEST_READ_BYTES = 256 * 1024;

/** Which bytes of a file; `end` is inclusive, and below `start` for nothing at all. */
export interface FilePart {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a file through two buffers in turn: while the reader has one, the next piece is read into the other.
 * Pieces start small and double, so that a small blob costs little memory and a large one few calls.
 *
 * The file is opened when the first piece is asked for, and closed when the loop ends, is left, or `signal` fires.
 * @throws {UpstreamError} `faulty` when the file ends before the part does
 */
export async function* fileStream(
  open: () => Promise<FileHandle>,
  part: FilePart,
  signal: AbortSignal,
): ByteStream {
  signal.throwIfAborted();
  const handle = await open();
  // A reader that hangs may never come back to leave the loop. Closing waits for a read that is under way.
  const release = (): void => void handle.close().catch(() => {});
  signal.addEventListener('abort', release, { once: true });
  let ahead: Promise<Uint8Array> | undefined;
  try {
    signal.throwIfAborted();
    const read = alternatingReader(handle, part);
    for (ahead = read(); ; ) {
      const chunk = await ahead;
      signal.throwIfAborted();
      if (chunk.length === 0) return;
      ahead = read();
      // It is awaited in the next round; until then a failure must not count as unhandled.
      ahead.catch(() => {});
      yield chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw asUpstreamError(error, 'a file of the layout');
  } finally {
    signal.removeEventListener('abort', release);
    await ahead?.catch(() => {});
    await handle.close();
  }
}

/** Each call reads the next piece, into the buffer that the call before the last one used; empty at the end. */
function alternatingReader(handle: FileHandle, part: FilePart): () => Promise<Uint8Array> {
  let buffers: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
  let pieceBytes = FIRST_READ_BYTES;
  let position = part.start;

  return async () => {
    const length = Math.min(pieceBytes, part.end - position + 1);
    if (length <= 0) return new Uint8Array();
    let [buffer, other] = buffers;
    if (buffer.length < length) buffer = Buffer.allocUnsafeSlow(length);
    buffers = [other, buffer];
    const { bytesRead } = await handle.read(buffer, 0, length, position);
    if (bytesRead === 0) throw new UpstreamError('faulty', `a file of the layout ended at byte ${position}`);
    position += bytesRead;
    pieceBytes = Math.min(pieceBytes * 2, LARGEST_READ_BYTES);
    return buffer.subarray(0, bytesRead);
  };
}
