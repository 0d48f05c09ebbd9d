import { isIP, connect as netConnect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { guardedLookup, type HostLookup, literalAddress } from '../../../../../network/index.ts';
import { UpstreamError } from '../../../errors.ts';
import { reachOf } from '../address-guard.ts';
import { trustedCertificates } from '../certificates.ts';
import type { Target } from '../transport.ts';
import type { LargeBlocks } from './large-blocks.ts';
import { ReceiveWindow } from './receive-window.ts';

export interface SocketOptions {
  readonly connectTimeoutMs: number;
  /** PEM; undefined means the system list. */
  readonly certificateAuthority: string | undefined;
  readonly resolve: HostLookup;
  readonly largeBlocks: LargeBlocks;
  /** Milliseconds. */
  readonly now: () => number;
}

/**
 * A TCP or TLS connection that reads into buffers of ours, which go round, and pauses while its reader is behind.
 * Node's streams and fetch libraries allocate or copy by the chunk; this does neither.
 */
export class BulkSocket {
  readonly #socket: Socket;
  readonly #window: ReceiveWindow;
  #paused = false;
  #ended = false;
  #failure: unknown;
  #wake: (() => void) | undefined;
  #onIdleEvent: (() => void) | undefined;

  private constructor(target: Target, options: SocketOptions) {
    this.#window = new ReceiveWindow(options.largeBlocks, options.now);
    this.#socket = openSocket(target, options, {
      buffer: () => this.#window.target,
      callback: (count) => this.#received(count),
    });
    this.#socket.on('end', () => {
      this.#ended = true;
      this.#notify();
    });
    this.#socket.on('error', (error) => {
      this.#failure ??= error;
    });
    this.#socket.on('close', () => {
      if (!this.#ended) this.#failure ??= new Error('the connection was closed');
      this.#notify();
    });
  }

  /** @throws the signal's reason, an `UpstreamError`, or the system's error */
  static async open(target: Target, options: SocketOptions, signal: AbortSignal): Promise<BulkSocket> {
    signal.throwIfAborted();
    const bulkSocket = new BulkSocket(target, options);
    const abort = () => bulkSocket.destroy(signal.reason);
    const timer = setTimeout(
      () =>
        bulkSocket.destroy(new UpstreamError('unreachable', `no connection to ${target.url.origin} in time`)),
      options.connectTimeoutMs,
    );
    signal.addEventListener('abort', abort, { once: true });
    try {
      await bulkSocket.#connected(target.url.protocol === 'https:' ? 'secureConnect' : 'connect');
      return bulkSocket;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  get closed(): boolean {
    return this.#ended || this.#failure !== undefined || this.#socket.destroyed;
  }

  /** Whether another request may be sent on it: nothing came unasked, and it costs little to keep. */
  get atRest(): boolean {
    return !this.closed && this.#window.atRest;
  }

  write(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** Says how many bytes the rest of an answer has, of which `here` have been read. */
  expect(bytes: number, here: number): void {
    this.#window.expect(bytes - here - this.#window.unread);
  }

  /**
   * @returns the next bytes, which are the caller's until the next call; undefined when the other side has ended
   * @throws {UpstreamError} `unreachable` when none come for so long
   */
  async read(timeoutMs: number): Promise<Uint8Array | undefined> {
    for (;;) {
      const piece = this.#window.take();
      this.#resume();
      if (piece) return piece;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      await this.#arrival(timeoutMs);
    }
  }

  /** Gives up the bytes of the last read. */
  release(): void {
    this.#window.release();
    this.#resume();
  }

  /** Watches a connection that nobody uses: anything that happens on it ends its time. */
  rest(onEvent: () => void): void {
    this.#onIdleEvent = onEvent;
    this.#socket.unref();
  }

  wakeUp(): void {
    this.#onIdleEvent = undefined;
    this.#socket.ref();
  }

  /** @param reason what a pending read rejects with */
  destroy(reason?: unknown): void {
    this.#failure ??= reason ?? new Error('the connection was closed');
    this.#window.dispose();
    this.#socket.destroy();
    this.#notify();
  }

  #received(count: number): boolean {
    this.#window.received(count);
    this.#notify();
    this.#paused = !this.#window.hasRoom;
    return !this.#paused;
  }

  #resume(): void {
    if (!this.#paused || !this.#window.hasRoom || this.closed) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #notify(): void {
    this.#wake?.();
    this.#onIdleEvent?.();
  }

  #arrival(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => this.destroy(new UpstreamError('unreachable', `nothing came for ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.#wake = () => {
        this.#wake = undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #connected(event: 'connect' | 'secureConnect'): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wake = () => {
        if (!this.closed) return;
        this.#wake = undefined;
        reject(this.#failure ?? new Error('the connection was closed'));
      };
      this.#socket.once(event, () => {
        this.#wake = undefined;
        resolve();
      });
    });
  }
}

function openSocket(
  { url, trust }: Target,
  options: SocketOptions,
  onread: TcpNetConnectOpts['onread'],
): Socket {
  const secure = url.protocol === 'https:';
  const host = literalAddress(url) ?? url.hostname;
  const common = {
    host,
    port: Number(url.port) || (secure ? 443 : 80),
    lookup: guardedLookup(reachOf(trust), options.resolve),
    noDelay: true,
    keepAlive: true,
    ...(onread && { onread }),
  };
  if (!secure) return netConnect(common);
  const ca = trustedCertificates(trust, options.certificateAuthority);
  return tlsConnect({
    ...common,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca && { ca }),
  });
}
