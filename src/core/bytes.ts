/**
 * A body on its way. A chunk's memory is the reader's only until the next chunk is asked for: the source
 * may read into it again. Whoever keeps bytes longer copies them. Leaving the loop early frees the source.
 */
export type ByteStream = AsyncIterable<Uint8Array>;

/** A body was larger than its reader allows. */
export class BodyTooLargeError extends Error {
  constructor(readonly limitBytes: number) {
    super(`the body is larger than ${limitBytes} bytes`);
    this.name = 'BodyTooLargeError';
  }
}

/**
 * Reads a whole body into memory.
 * @throws {BodyTooLargeError} as soon as more than `limitBytes` have come.
 */
export async function readBounded(body: ByteStream, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limitBytes) throw new BodyTooLargeError(limitBytes);
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks, size);
}
