import { readSync } from 'node:fs';
import { REQUEST_LIMIT_BYTES } from './request.ts';

/** One byte more than is allowed, so that it is seen, and refused. */
const MOST_BYTES = REQUEST_LIMIT_BYTES + 1;

/** Reads kubelet's question from a file descriptor, and no more than a question may have. */
export function readQuestionSync(descriptor: number): string {
  const buffer = Buffer.alloc(MOST_BYTES);
  let size = 0;
  while (size < buffer.length) {
    const read = readSync(descriptor, buffer, size, buffer.length - size, null);
    if (read === 0) break;
    size += read;
  }
  return buffer.toString('utf8', 0, size);
}

/** The same from a stream. */
export async function readQuestion(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MOST_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, MOST_BYTES);
}
