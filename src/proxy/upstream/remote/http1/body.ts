import { UpstreamError } from '../../errors.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import type { Framing } from './framing.ts';

/** @returns the next bytes, valid until the next call; undefined when the connection has ended. */
export type ReadBytes = () => Promise<Uint8Array | undefined>;

/** What a reader of a body finds out besides the bytes. */
export interface BodyEnd {
  /** The body came whole, and nothing came behind it. */
  clean: boolean;
}

/**
 * The body of an answer without its framing.
 * @param first bytes that came with the head
 * @param end set before the generator returns
 * @throws {UpstreamError} `unreachable` when the connection ended too early, `faulty` when the framing is wrong
 */
export function readBody(
  framing: Framing,
  first: Uint8Array,
  read: ReadBytes,
  end: BodyEnd,
): AsyncGenerator<Uint8Array, void> {
  switch (framing.type) {
    case 'none':
      return readLength(0, first, read, end);
    case 'length':
      return readLength(framing.lengthBytes, first, read, end);
    case 'chunked':
      return readChunked(first, read, end);
    case 'until-close':
      return readUntilClose(first, read);
  }
}

async function* readLength(
  lengthBytes: number,
  first: Uint8Array,
  read: ReadBytes,
  end: BodyEnd,
): AsyncGenerator<Uint8Array, void> {
  let remaining = lengthBytes;
  let bytes = first;
  while (remaining > 0) {
    if (bytes.length === 0) bytes = (await read()) ?? cutShort(lengthBytes - remaining, lengthBytes);
    const part = bytes.subarray(0, remaining);
    bytes = bytes.subarray(part.length);
    remaining -= part.length;
    yield part;
  }
  end.clean = bytes.length === 0;
}

async function* readChunked(
  first: Uint8Array,
  read: ReadBytes,
  end: BodyEnd,
): AsyncGenerator<Uint8Array, void> {
  const decoder = new ChunkedDecoder();
  let count = 0;
  for (let bytes = first; ; bytes = (await read()) ?? cutShort(count)) {
    for (const part of decoder.decode(bytes)) {
      count += part.length;
      yield part;
    }
    if (decoder.done) break;
  }
  end.clean = true;
}

async function* readUntilClose(first: Uint8Array, read: ReadBytes): AsyncGenerator<Uint8Array, void> {
  for (let bytes: Uint8Array | undefined = first; bytes; bytes = await read()) {
    if (bytes.length > 0) yield bytes;
  }
}

function cutShort(count: number, size?: number): never {
  const of = size === undefined ? '' : ` of ${size}`;
  throw new UpstreamError('unreachable', `a body ended after ${count}${of} bytes`);
}
