import type { Turns } from '../../../core/index.ts';
import type { LdapConnection } from './connection.ts';
import type { LdapServer } from './open-socket.ts';
import { isServerFault } from './result-codes.ts';
import type { Servers } from './servers.ts';

/** What is done on a connection; it may be done again on another when the first one is lost. */
export type Work<T> = (connection: LdapConnection, signal: AbortSignal) => Promise<T>;

/** Connections that have logged in with the proxy's own account, and are used again. */
export interface ServiceConnections {
  /** @throws as {@link Servers.ask} does, or {@link Turns.run} */
  use<T>(work: Work<T>, signal: AbortSignal): Promise<T>;
  /** Closes those that are at rest; those in use end with the signals that they were given. */
  close(): void;
}

interface Resting {
  readonly server: LdapServer;
  readonly connection: LdapConnection;
}

export interface ServiceConnectionDependencies {
  readonly servers: Servers;
  readonly turns: Turns;
  /** Opens a connection and logs in. */
  readonly open: (server: LdapServer, signal: AbortSignal) => Promise<LdapConnection>;
}

/** @param limit most connections that are open at a time */
export function createServiceConnections(
  limit: number,
  dependencies: ServiceConnectionDependencies,
): ServiceConnections {
  const { servers, turns, open } = dependencies;
  let resting: Resting[] = [];
  let busy = 0;
  let closed = false;

  function takeResting(server: LdapServer): LdapConnection | undefined {
    resting = resting.filter(({ connection }) => connection.isOpen);
    const index = resting.findLastIndex((each) => each.server === server);
    return index < 0 ? undefined : resting.splice(index, 1)[0]?.connection;
  }

  function rest(server: LdapServer, connection: LdapConnection): void {
    if (closed || !connection.isOpen) connection.close();
    else resting.push({ server, connection });
  }

  async function run<T>(
    server: LdapServer,
    connection: LdapConnection,
    work: Work<T>,
    signal: AbortSignal,
  ): Promise<T> {
    try {
      const result = await work(connection, signal);
      rest(server, connection);
      return result;
    } catch (error) {
      // An answer that says no leaves the connection as good as it was.
      if (isServerFault(error)) connection.close();
      else rest(server, connection);
      throw error;
    }
  }

  async function attempt<T>(server: LdapServer, work: Work<T>, signal: AbortSignal): Promise<T> {
    busy += 1;
    try {
      const used = takeResting(server);
      if (used) {
        try {
          return await run(server, used, work, signal);
        } catch (error) {
          if (signal.aborted || !isServerFault(error)) throw error;
          // The server had closed it meanwhile, which says nothing about a new one.
        }
      }
      while (resting.length > 0 && resting.length + busy > limit) resting.shift()?.connection.close();
      return await run(server, await open(server, signal), work, signal);
    } finally {
      busy -= 1;
    }
  }

  return {
    use: (work, signal) =>
      turns.run(() => servers.ask((server, limited) => attempt(server, work, limited), signal), signal),
    close() {
      closed = true;
      for (const { connection } of resting.splice(0)) connection.close();
    },
  };
}
