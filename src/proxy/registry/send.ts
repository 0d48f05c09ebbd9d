import type { ServerResponse } from 'node:http';
import type { ByteStream } from '../../core/index.ts';
import type { Answer } from './answer.ts';
import type { Exchange } from './exchange.ts';

export interface SendOptions {
  /** Aborted when the client has gone away. */
  readonly signal: AbortSignal;
  /** A client that takes no byte for so long is cut off. */
  readonly progressTimeoutMs: number;
  /** Waited for before the answer ends, which ends the connection of a client that still sends. */
  readonly beforeEnd?: (() => Promise<void>) | undefined;
}

/**
 * Writes an answer. A body is passed on chunk by chunk, each one written out before the next is asked for: nothing piles
 * up, and the source may use its memory again. When the source fails, the connection is broken: a body that is not
 * whole never ends cleanly.
 * @throws what the source throws after the header went out; the connection is gone by then
 */
export async function send(
  response: ServerResponse,
  answer: Answer,
  exchange: Exchange,
  options: SendOptions,
): Promise<void> {
  const { body } = answer;
  // A listener on the response, not the socket: where nobody listens there, Node ends every quiet connection itself.
  response.setTimeout(options.progressTimeoutMs, () => {
    // A quiet socket with nothing to write waits for the upstream, which has a time-out of its own.
    if (response.writableLength > 0) response.destroy();
  });
  response.writeHead(answer.status, answer.headers);
  exchange.headerSent(answer.status);
  if (body === undefined || response.req.method === 'HEAD') {
    if (options.beforeEnd) {
      response.flushHeaders();
      await options.beforeEnd();
    }
    response.end();
  } else if (Buffer.isBuffer(body)) {
    exchange.bytes += body.length;
    if (options.beforeEnd) {
      response.write(body);
      await options.beforeEnd();
      response.end();
    } else response.end(body);
  } else {
    await sendStream(response, body, exchange, options);
  }
}

async function sendStream(
  response: ServerResponse,
  body: ByteStream,
  exchange: Exchange,
  { signal }: SendOptions,
): Promise<void> {
  try {
    for await (const chunk of body) {
      await write(response, chunk, signal);
      exchange.bytes += chunk.length;
    }
    response.end();
  } catch (error) {
    response.destroy();
    throw error;
  }
}

/** A write that is under way when the client goes away is never called back: the signal ends the wait for it. */
function write(response: ServerResponse, chunk: Uint8Array, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    response.write(chunk, (error) => {
      signal.removeEventListener('abort', onAbort);
      if (error) reject(error);
      else resolve();
    });
  });
}
