import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';

const TAR_BLOCK_BYTES = 512;
const STREAM_CHUNK_BYTES = 1024 * 1024;

/** A blob with its digest, held in memory. */
export interface Blob {
  readonly digest: string;
  readonly bytes: Buffer;
}

/** A layer, and the digest of its tar file before compression. */
export interface Layer extends Blob {
  readonly diffId: string;
}

/** A blob that is made while it is read. */
export interface StreamedBlob {
  readonly sizeBytes: number;
  /** Yields the same bytes each time. */
  chunks(): Generator<Buffer>;
}

export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function createBlob(content: Buffer | string): Blob {
  const bytes = Buffer.from(content);
  return { digest: digestOf(bytes), bytes };
}

/** A gzipped tar file with one file of random bytes, which clients can unpack. */
export function createLayer(fileName: string, sizeBytes: number): Layer {
  const tar = Buffer.concat([tarHeader(fileName, sizeBytes), randomBytes(sizeBytes), tarEnd(sizeBytes)]);
  return { ...createBlob(gzipSync(tar, { level: 1 })), diffId: digestOf(tar) };
}

/**
 * A tar file (not compressed) with one file of `sizeBytes`, never held as a whole. No two of its chunks are the
 * same, so that a piece that is lost or doubled shows in the digest.
 */
export function createLargeLayer(fileName: string, sizeBytes: number): StreamedBlob {
  const pattern = randomBytes(STREAM_CHUNK_BYTES);
  const end = tarEnd(sizeBytes);
  const header = tarHeader(fileName, sizeBytes);
  return {
    sizeBytes: header.length + sizeBytes + end.length,
    *chunks() {
      yield header;
      for (let offset = 0; offset < sizeBytes; offset += STREAM_CHUNK_BYTES) {
        const chunk = Buffer.from(pattern.subarray(0, Math.min(STREAM_CHUNK_BYTES, sizeBytes - offset)));
        if (chunk.length >= 8) chunk.writeBigUInt64LE(BigInt(offset));
        yield chunk;
      }
      yield end;
    },
  };
}

/** The ustar header of one plain file. */
function tarHeader(fileName: string, sizeBytes: number): Buffer {
  const header = Buffer.alloc(TAR_BLOCK_BYTES);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  header.write(fileName, 0, 'ascii');
  header.write(octal(0o644, 7), 100, 'ascii');
  header.write(octal(0, 7), 108, 'ascii');
  header.write(octal(0, 7), 116, 'ascii');
  header.write(octal(sizeBytes, 11), 124, 'ascii');
  header.write(octal(0, 11), 136, 'ascii');
  header.write('        0', 148, 'ascii');
  header.write('ustar\u000000', 257, 'ascii');
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${octal(checksum, 6)}\0 `, 148, 'ascii');
  return header;
}

/** What follows a file's bytes: padding to a full block, and the two empty blocks that end an archive. */
function tarEnd(sizeBytes: number): Buffer {
  const padding = (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
  return Buffer.alloc(padding + 2 * TAR_BLOCK_BYTES);
}
