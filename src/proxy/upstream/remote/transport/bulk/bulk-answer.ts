import type { ByteStream } from '../../../../../core/index.ts';
import { UpstreamError } from '../../../errors.ts';
import {
  type BodyEnd,
  type Framing,
  framingOf,
  keepsConnection,
  type ResponseHead,
  ResponseHeadParser,
  readBody,
} from '../../http1/index.ts';
import { AnswerHeaders } from '../answer-headers.ts';
import { connectionFailure } from '../connection-failure.ts';
import type { Answer, TransportOptions } from '../transport.ts';
import type { SocketLease } from './socket-pool.ts';

/** A discarded body of this size is read to its end, so that its connection can be kept. */
const MAXIMUM_DRAINED_BYTES = 64 * 1024;
const MAXIMUM_INTERIM_ANSWERS = 8;

/** A kept connection ended before a byte of the answer came: the request may be sent again. */
export class StaleConnectionError extends Error {}

interface Head {
  readonly head: ResponseHead;
  /** Bytes of the body that came with it. */
  readonly rest: Uint8Array;
}

/** @throws {StaleConnectionError | UpstreamError} */
export async function readHead(lease: SocketLease, timeoutMs: number): Promise<Head> {
  const deadline = performance.now() + timeoutMs;
  let parser = new ResponseHeadParser();
  let untouched = true;
  for (let interim = 0; interim <= MAXIMUM_INTERIM_ANSWERS; ) {
    let bytes = await nextBytes(lease, Math.max(1, deadline - performance.now()), untouched);
    untouched = false;
    for (let found = parser.push(bytes); found; found = parser.push(bytes)) {
      bytes = bytes.subarray(found.consumed);
      if (found.head.status === 101) throw new UpstreamError('faulty', 'an answer changes the protocol');
      if (found.head.status >= 200) return { head: found.head, rest: bytes };
      parser = new ResponseHeadParser();
      interim += 1;
    }
  }
  throw new UpstreamError('faulty', 'an answer never comes to its point');
}

async function nextBytes(lease: SocketLease, timeoutMs: number, untouched: boolean): Promise<Uint8Array> {
  try {
    const bytes = await lease.socket.read(timeoutMs);
    if (bytes) return bytes;
  } catch (error) {
    if (!untouched || !lease.reused || error instanceof UpstreamError) throw error;
    throw new StaleConnectionError('a kept connection has ended', { cause: error });
  }
  if (untouched && lease.reused) throw new StaleConnectionError('a kept connection has ended');
  throw new UpstreamError('unreachable', 'the connection ended before an answer');
}

/** The answer with its body still on the connection; the lease is given back when the body ends, in any way. */
export function createBulkAnswer(
  { head, rest }: Head,
  lease: SocketLease,
  options: TransportOptions,
  origin: string,
  signal: AbortSignal,
): Answer {
  const framing = framingOf(head);
  const { socket } = lease;
  const end: BodyEnd = { clean: false };
  const abort = () => finish(signal.reason);
  const claim = setTimeout(() => finish(), options.progressTimeoutMs);
  let begun = false;

  const finish = (reason?: unknown) => {
    clearTimeout(claim);
    signal.removeEventListener('abort', abort);
    if (end.clean && keepsConnection(head, framing)) {
      socket.release();
      lease.release();
    } else lease.destroy(reason);
  };

  async function* read(): AsyncGenerator<Uint8Array, void> {
    clearTimeout(claim);
    try {
      signal.throwIfAborted();
      yield* readBody(framing, rest, () => socket.read(options.progressTimeoutMs), end);
    } catch (error) {
      throw connectionFailure(origin, error, signal);
    } finally {
      finish();
    }
  }

  signal.addEventListener('abort', abort, { once: true });
  socket.expect(lengthOf(framing), rest.length);
  const body: ByteStream = {
    [Symbol.asyncIterator]() {
      begun = true;
      return read();
    },
  };
  return {
    status: head.status,
    headers: new AnswerHeaders(head.headers),
    body,
    discard: () => {
      if (begun || lengthOf(framing) > MAXIMUM_DRAINED_BYTES) finish();
      else void drain(body);
    },
  };
}

async function drain(body: ByteStream): Promise<void> {
  try {
    for await (const _ of body);
  } catch {
    // Nobody wanted it.
  }
}

function lengthOf(framing: Framing): number {
  if (framing.type === 'none') return 0;
  return framing.type === 'length' ? framing.lengthBytes : Number.POSITIVE_INFINITY;
}
