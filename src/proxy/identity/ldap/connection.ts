import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { Client } from 'ldapts';
import { type DirectoryEntry, entryOf } from './entry.ts';
import { AnswerTooLargeError } from './errors.ts';
import { type LdapServer, openSocket } from './open-socket.ts';
import { refusalOf } from './result-codes.ts';

/** What to look for. */
export interface Query {
  readonly base: string;
  readonly scope: 'base' | 'one' | 'sub';
  readonly filter: string;
  readonly attributes: readonly string[];
  /** A server that finds more says that many and stops; without it, too many are an error. */
  readonly limit?: number;
}

/** One connection to one server, for one question at a time. Referrals are not followed, aliases not resolved. */
export interface LdapConnection {
  readonly isOpen: boolean;
  /**
   * Logs in by a simple bind (RFC 4513, section 5.1.3).
   * @returns why it was refused, or undefined when it was not
   * @throws what the network says, ResultCodeError for any other answer of the server, or the signal's reason
   */
  bind(name: string, password: string, signal: AbortSignal): Promise<string | undefined>;
  /** @throws as {@link bind} does */
  search(query: Query, signal: AbortSignal): Promise<readonly DirectoryEntry[]>;
  close(): void;
}

const MAXIMUM_ANSWER_BYTES = 4 * 1024 * 1024;
const IDLE_LIMIT_MS = 60_000;

/** @throws what the network or TLS says, or the signal's reason */
export async function openConnection(
  server: LdapServer,
  trust: SecureContext,
  signal: AbortSignal,
): Promise<LdapConnection> {
  const socket = await openSocket(server, trust, signal);
  socket.setTimeout(IDLE_LIMIT_MS, () => socket.destroy());
  let receivedBytes = 0;
  let adopted = false;
  const client = new Client({
    url: 'ldap://server',
    // A library that reconnects by itself would go on without TLS and without having logged in.
    createConnection: () => {
      if (adopted || !isUsable(socket)) throw new Error('the connection was closed');
      adopted = true;
      socket.on('data', (chunk: Buffer) => {
        receivedBytes += chunk.length;
        if (receivedBytes > MAXIMUM_ANSWER_BYTES) socket.destroy();
      });
      return socket;
    },
  });

  async function ask<T>(question: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    receivedBytes = 0;
    const abort = () => socket.destroy();
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await question();
    } catch (error) {
      signal.throwIfAborted();
      if (receivedBytes > MAXIMUM_ANSWER_BYTES) throw new AnswerTooLargeError(MAXIMUM_ANSWER_BYTES);
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  return {
    get isOpen() {
      return isUsable(socket);
    },
    async bind(name, password, signal) {
      requireRealBind(name, password);
      try {
        await ask(() => client.bind(name, password), signal);
        return undefined;
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal === undefined) throw error;
        return refusal;
      }
    },
    async search({ base, limit, ...query }, signal) {
      const options = { ...query, attributes: [...query.attributes], sizeLimit: limit ?? 0 };
      const { searchEntries } = await ask(() => client.search(base, options), signal);
      return searchEntries.map(entryOf);
    },
    close: () => socket.destroy(),
  };
}

function isUsable(socket: Socket): boolean {
  return !socket.destroyed && socket.readyState === 'open';
}

/**
 * Without a password a bind succeeds for anybody (RFC 4513, section 5.1.2), and the library takes names such as
 * EXTERNAL for another way to log in.
 */
function requireRealBind(name: string, password: string): void {
  if (password === '' || !/[=@\\]/.test(name)) throw new Error('a bind needs a name and a password');
}
