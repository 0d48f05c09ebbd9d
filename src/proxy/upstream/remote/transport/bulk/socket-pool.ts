import { UpstreamError } from '../../../errors.ts';
import type { BulkSocket } from './bulk-socket.ts';

const IDLE_TIMEOUT_MS = 15_000;
const MAXIMUM_IDLE = 16;
const RETRY_AFTER_SECONDS = '1';

/** A connection for one request. Exactly one of the two ways gives it back. */
export interface SocketLease {
  readonly socket: BulkSocket;
  /** Whether it carried a request before; the other side may have closed it meanwhile. */
  readonly reused: boolean;
  /** Keeps it for the next request, if it is fit for that. */
  release(): void;
  /** Ends it. */
  destroy(reason?: unknown): void;
}

export interface PoolLimits {
  /** At most so many at once. */
  readonly connections: number;
  /** Whoever has waited so long for one is turned away: clients give up on an answer that does not begin. */
  readonly queueTimeoutMs: number;
}

/** The connections to one origin: a few idle ones, a limit for all, and a queue where the limit is reached. */
export class SocketPool {
  readonly #open: (signal: AbortSignal) => Promise<BulkSocket>;
  readonly #limit: number;
  readonly #queueTimeoutMs: number;
  readonly #onUnused: () => void;
  readonly #idle = new Map<BulkSocket, NodeJS.Timeout>();
  readonly #queue = new Set<() => void>();
  #active = 0;
  #closed = false;

  /** @param onUnused called when it holds no connection and nobody waits for one */
  constructor(
    open: (signal: AbortSignal) => Promise<BulkSocket>,
    { connections, queueTimeoutMs }: PoolLimits,
    onUnused: () => void,
  ) {
    this.#open = open;
    this.#limit = connections;
    this.#queueTimeoutMs = queueTimeoutMs;
    this.#onUnused = onUnused;
  }

  /**
   * @param fresh never a connection that was used before
   * @throws {UpstreamError} `unreachable`, with a `Retry-After`, when none became free in time
   */
  async acquire(signal: AbortSignal, fresh = false): Promise<SocketLease> {
    signal.throwIfAborted();
    if (this.#active >= this.#limit) await this.#turn(signal);
    else this.#active += 1;
    try {
      const kept = fresh ? undefined : this.#takeIdle();
      if (kept) return this.#lease(kept, true);
      return this.#lease(await this.#open(signal), false);
    } catch (error) {
      this.#passOn();
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    for (const socket of [...this.#idle.keys()]) this.#drop(socket);
  }

  #lease(socket: BulkSocket, reused: boolean): SocketLease {
    let given = false;
    const giveBack = (how: () => void) => {
      if (given) return;
      given = true;
      how();
      this.#passOn();
    };
    return {
      socket,
      reused,
      release: () => giveBack(() => this.#keep(socket)),
      destroy: (reason) => giveBack(() => socket.destroy(reason)),
    };
  }

  #keep(socket: BulkSocket): void {
    if (this.#closed || !socket.atRest || this.#idle.size >= MAXIMUM_IDLE) {
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => this.#drop(socket), IDLE_TIMEOUT_MS);
    timer.unref();
    this.#idle.set(socket, timer);
    socket.rest(() => this.#drop(socket));
  }

  #takeIdle(): BulkSocket | undefined {
    const socket = [...this.#idle.keys()].at(-1);
    if (!socket) return undefined;
    clearTimeout(this.#idle.get(socket));
    this.#idle.delete(socket);
    socket.wakeUp();
    return socket;
  }

  #drop(socket: BulkSocket): void {
    clearTimeout(this.#idle.get(socket));
    if (!this.#idle.delete(socket)) return;
    socket.destroy();
    this.#reportUnused();
  }

  /** Waits for the place of somebody who is done; the place itself is handed over. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (reason: unknown) => {
        this.#queue.delete(enter);
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        reject(reason);
      };
      const abort = () => leave(signal.reason);
      const enter = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const timer = setTimeout(() => leave(this.#allTaken()), this.#queueTimeoutMs);
      signal.addEventListener('abort', abort, { once: true });
      this.#queue.add(enter);
    });
  }

  #allTaken(): UpstreamError {
    const message = `all ${this.#limit} connections to the registry stay taken`;
    return new UpstreamError('unreachable', message, { retryAfter: RETRY_AFTER_SECONDS });
  }

  #passOn(): void {
    const [next] = this.#queue;
    if (next) {
      this.#queue.delete(next);
      next();
      return;
    }
    this.#active -= 1;
    this.#reportUnused();
  }

  #reportUnused(): void {
    if (this.#active === 0 && this.#idle.size === 0) this.#onUnused();
  }
}

/** The pools of a transport, one for each origin and trust, made when needed and forgotten when unused. */
export class SocketPools {
  readonly #pools = new Map<string, SocketPool>();
  #closed = false;

  /** @throws {UpstreamError} `unreachable` after {@link close} */
  get(key: string, limits: PoolLimits, open: (signal: AbortSignal) => Promise<BulkSocket>): SocketPool {
    if (this.#closed) throw new UpstreamError('unreachable', 'the upstream has been closed');
    const known = this.#pools.get(key);
    if (known) return known;
    const pool = new SocketPool(open, limits, () => this.#pools.delete(key));
    this.#pools.set(key, pool);
    return pool;
  }

  close(): void {
    this.#closed = true;
    for (const pool of this.#pools.values()) pool.close();
  }
}
