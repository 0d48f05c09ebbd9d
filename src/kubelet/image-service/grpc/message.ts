import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { ImageServiceError, STATUS } from '../errors.ts';

/** What kubelet takes, and containerd. */
export const MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024;
export const PREFIX_BYTES = 5;

const DECOMPRESS: Readonly<
  Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>
> = {
  gzip: promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip),
  deflate: promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate),
};

/** A message with its prefix. @see PROTOCOL-HTTP2.md, "Length-Prefixed-Message" */
export function frameMessage(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/**
 * The only message of a body.
 * @param encoding `grpc-encoding`, which says how it is compressed where it is
 * @throws {ImageServiceError} when there is not exactly one, or it can't be decompressed
 */
export async function onlyMessage(body: Buffer, encoding: string | undefined): Promise<Buffer> {
  if (body.length < PREFIX_BYTES || body.readUInt32BE(1) !== body.length - PREFIX_BYTES) {
    throw new ImageServiceError(STATUS.INTERNAL, 'the call has not exactly one message');
  }
  const message = body.subarray(PREFIX_BYTES);
  if (body[0] === 0) return message;
  const decompress = DECOMPRESS[encoding ?? ''];
  if (!decompress) {
    throw new ImageServiceError(STATUS.UNIMPLEMENTED, 'messages may be compressed with gzip or deflate only');
  }
  try {
    return await decompress(message, { maxOutputLength: MESSAGE_LIMIT_BYTES });
  } catch (cause) {
    throw new ImageServiceError(STATUS.INTERNAL, 'the message can not be decompressed', { cause });
  }
}

/**
 * Reads all of a body.
 * @throws {ImageServiceError} when it is larger than one message may be
 */
export async function readBody(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > PREFIX_BYTES + MESSAGE_LIMIT_BYTES) {
      throw new ImageServiceError(
        STATUS.RESOURCE_EXHAUSTED,
        `a message is larger than ${MESSAGE_LIMIT_BYTES} bytes`,
      );
    }
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size);
}
