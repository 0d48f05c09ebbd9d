import type { Clock } from '../../../core/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import type { Identity } from '../identity.ts';
import type { Outcome } from '../verifier.ts';
import type { LdapConnection } from './connection.ts';
import type { DirectoryEntry } from './entry.ts';
import { listedGroups, searchedGroups } from './groups.ts';
import type { LdapServer } from './open-socket.ts';
import type { LdapVerifierOptions } from './options.ts';
import type { Servers } from './servers.ts';
import { personOf } from './users.ts';

/** One way to check a user's password. Rejects where no server could tell. */
export interface Logins {
  /** Credentials that can't be right have been turned away before. */
  login(username: string, password: string, signal: AbortSignal): Promise<Outcome>;
  /** Missing where nobody but the user may look the user up. */
  renew?(identity: Identity, anchor: string | undefined, signal: AbortSignal): Promise<Outcome>;
  close(): void;
}

export interface LoginDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly servers: Servers;
  /** Opens a connection on which nobody has logged in. */
  readonly open: (server: LdapServer, signal: AbortSignal) => Promise<LdapConnection>;
}

/** How many logins may wait for a connection. */
const QUEUE_LIMIT = 256;

export function turnsOf({ connections }: LdapVerifierOptions) {
  return { concurrency: connections, queueLimit: QUEUE_LIMIT, what: 'logins' };
}

export function refused(reason: string): Outcome {
  return { type: 'refused', reason };
}

/**
 * Who an entry is, with groups. `ask` gives a connection that may search.
 * @throws as {@link LdapConnection.search} does
 */
export async function identify(
  options: LdapVerifierOptions,
  entry: DirectoryEntry,
  ask: <T>(work: (connection: LdapConnection, signal: AbortSignal) => Promise<T>) => Promise<T>,
): Promise<Identity | string> {
  const person = personOf(options, entry);
  if (typeof person === 'string') return person;
  const { name, claims } = person;
  const groups = await groupsOf();
  return { verifier: options.name, name, groups, claims };

  async function groupsOf(): Promise<string[]> {
    const source = options.groups;
    if (!source) return [];
    if (source.attribute !== undefined) return listedGroups(source, source.attribute, entry);
    return ask((connection, signal) => searchedGroups(source, { dn: entry.dn, name }, connection, signal));
  }
}
