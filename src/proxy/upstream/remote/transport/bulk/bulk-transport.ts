import type { HostLookup } from '../../../../../network/index.ts';
import { formatGet } from '../../http1/index.ts';
import { requireSafeTarget } from '../address-guard.ts';
import { connectionFailure } from '../connection-failure.ts';
import type { Answer, Transport, TransportOptions, TransportRequest } from '../transport.ts';
import { createBulkAnswer, readHead, StaleConnectionError } from './bulk-answer.ts';
import { BulkSocket } from './bulk-socket.ts';
import { LargeBlocks } from './large-blocks.ts';
import { SocketPools } from './socket-pool.ts';

export interface BulkTransportOptions extends TransportOptions {
  readonly certificateAuthority: string | undefined;
  readonly resolve: HostLookup;
  /** Milliseconds. */
  readonly now: () => number;
}

/** The door for large GETs: plain HTTP/1.1 on sockets of our own, at the speed of the wire. */
export function createBulkTransport(options: BulkTransportOptions): Transport {
  const pools = new SocketPools();
  const limits = { connections: options.connections, queueTimeoutMs: options.answerTimeoutMs };
  const socketOptions = { ...options, largeBlocks: new LargeBlocks() };

  const attempt = async (request: TransportRequest, fresh: boolean): Promise<Answer> => {
    const { url, trust, headers, signal } = request;
    const pool = pools.get(`${trust} ${url.origin}`, limits, (openSignal) =>
      BulkSocket.open({ url, trust }, socketOptions, openSignal),
    );
    const lease = await pool.acquire(signal, fresh);
    const abort = () => lease.destroy(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      lease.socket.write(formatGet(url, headers));
      const head = await readHead(lease, options.answerTimeoutMs);
      return createBulkAnswer(head, lease, options, url.origin, signal);
    } catch (error) {
      lease.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  };

  return {
    request: async (request) => {
      if (request.method !== 'GET') throw new TypeError('only GET goes through the bulk transport');
      requireSafeTarget(request);
      try {
        return await attempt(request, false).catch((error: unknown) => {
          if (error instanceof StaleConnectionError) return attempt(request, true);
          throw error;
        });
      } catch (error) {
        throw connectionFailure(request.url.origin, error, request.signal);
      }
    },
    close: async () => pools.close(),
  };
}
