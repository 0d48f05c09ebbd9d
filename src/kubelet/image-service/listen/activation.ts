import type { Server } from 'node:net';
import { SocketError } from './errors.ts';

/** systemd's first file descriptor. @see sd_listen_fds(3) */
const FIRST_FD = 3;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The file descriptor of the socket that systemd listens on for us.
 * @returns undefined when it does not
 * @throws {SocketError} when it hands over more than one
 */
export function activatedSocket(env: Environment, pid: number): number | undefined {
  if (env.LISTEN_PID !== String(pid) || !/^[1-9]\d*$/.test(env.LISTEN_FDS ?? '')) return undefined;
  if (env.LISTEN_FDS !== '1') {
    throw new SocketError('the socket unit has more than one ListenStream=: leave only that of kubelet');
  }
  return FIRST_FD;
}

/** Listens on what systemd has handed over. The socket is systemd's: it outlives us, and is not removed. */
export function listenOnActivated(server: Server, fd: number): Promise<{ close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd }, () => {
      server.off('error', reject);
      resolve({
        close: async () => {
          server.close();
        },
      });
    });
  });
}
