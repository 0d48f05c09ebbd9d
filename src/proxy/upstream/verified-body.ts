import type { ByteStream } from '../../core/index.ts';
import { type Digest, DigestCheck } from '../../oci/index.ts';
import { UpstreamError } from './errors.ts';

/**
 * Passes a whole body on and hashes it on the way. The last chunk is handed over only when the digest is right,
 * so that a reader never has all bytes of a wrong body.
 * @param sizeBytes how long the body has to be; undefined where nobody knows, and then every chunk is copied and
 * held back until the next one comes
 * @throws {UpstreamError} `faulty` when the body is too short, too long or has another digest
 */
export async function* verifiedBody(
  body: ByteStream,
  expected: Digest,
  sizeBytes: number | undefined,
): ByteStream {
  const check = new DigestCheck(expected);
  yield* sizeBytes === undefined ? holdBackLast(body, check) : countTo(sizeBytes, body, check);
}

async function* countTo(sizeBytes: number, body: ByteStream, check: DigestCheck): ByteStream {
  let count = 0;
  if (sizeBytes === 0) requireMatch(check);
  for await (const chunk of body) {
    if (chunk.length === 0) continue;
    count += chunk.length;
    if (count > sizeBytes) throw faulty(check, `is longer than ${sizeBytes} bytes`);
    check.update(chunk);
    if (count === sizeBytes) requireMatch(check);
    yield chunk;
  }
  if (count < sizeBytes) throw faulty(check, `ended after ${count} of ${sizeBytes} bytes`);
}

async function* holdBackLast(body: ByteStream, check: DigestCheck): ByteStream {
  let memory = Buffer.alloc(0);
  let held = 0;
  for await (const chunk of body) {
    if (chunk.length === 0) continue;
    check.update(chunk);
    if (held > 0) yield memory.subarray(0, held);
    if (memory.length < chunk.length) memory = Buffer.allocUnsafeSlow(chunk.length);
    memory.set(chunk);
    held = chunk.length;
  }
  requireMatch(check);
  if (held > 0) yield memory.subarray(0, held);
}

function requireMatch(check: DigestCheck): void {
  if (!check.matches()) throw faulty(check, 'has another digest');
}

function faulty(check: DigestCheck, what: string): UpstreamError {
  return new UpstreamError('faulty', `the content of ${check.expected} ${what}`);
}
