import { randomBytes } from 'node:crypto';
import { lstat, rename, rm } from 'node:fs/promises';
import { createConnection, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { SocketError } from './errors.ts';
import { prepareSocketFolder } from './socket-folder.ts';

/** A socket is for its owner only: 0600. */
const UMASK = 0o177;
const TEMPORARY_NAME_BYTES = 3;
const CONNECT_TIMEOUT_MS = 1000;

/** A socket that a server listens on. */
export interface ListeningSocket {
  /** Stops listening; the socket goes from the file system, unless somebody else has put another there. */
  close(): Promise<void>;
}

/**
 * Listens on a unix socket that only its owner can connect to. It is made under another name and moved to its place
 * when it is ready, so that nobody finds it half made, and a link that stands there is replaced and never followed.
 * @throws {SocketError} when something other than a socket that nobody serves is in the way
 */
export async function listenOnSocket(server: Server, path: string): Promise<ListeningSocket> {
  const place = await prepareSocketFolder(path, process.getuid?.() ?? 0);
  await refuseWhatIsInTheWay(place);
  const temporary = join(dirname(place), `.${randomBytes(TEMPORARY_NAME_BYTES).toString('hex')}`);
  await bind(server, temporary);
  const { ino } = await lstat(temporary);
  try {
    await rename(temporary, place);
  } catch (cause) {
    server.close();
    throw new SocketError(`${path} can not be made`, { cause });
  }
  return {
    async close() {
      server.close();
      const now = await lstat(place).catch(() => undefined);
      if (now?.ino === ino) await rm(place, { force: true });
    },
  };
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const before = process.umask(UMASK);
    try {
      server.once('error', reject);
      // The socket is made within this call, so that the mask holds for nothing else.
      server.listen({ path }, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

async function refuseWhatIsInTheWay(place: string): Promise<void> {
  const status = await lstat(place).catch(() => undefined);
  if (!status) return;
  if (!status.isSocket()) {
    throw new SocketError(`${place} is there and is no socket: remove it, or name another socket`);
  }
  if (await isServed(place)) {
    throw new SocketError(`${place} is served by another process: end it, or name another socket`);
  }
}

/** What an earlier process left behind refuses connections. */
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    const settle = (served: boolean) => {
      socket.destroy();
      resolve(served);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => settle(true));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
