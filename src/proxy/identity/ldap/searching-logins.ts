import { randomBytes } from 'node:crypto';
import { createTurns, type Secret } from '../../../core/index.ts';
import type { Identity } from '../identity.ts';
import type { Outcome } from '../verifier.ts';
import { anchorOf, usernameOf } from './anchor.ts';
import { createBindGuard } from './bind-guard.ts';
import type { LdapConnection } from './connection.ts';
import type { DirectoryEntry } from './entry.ts';
import { identify, type LoginDependencies, type Logins, refused, turnsOf } from './logins.ts';
import type { LdapServer } from './open-socket.ts';
import type { LdapVerifierOptions } from './options.ts';
import { createServiceConnections } from './service-connections.ts';
import { credentialProblem } from './shown-credential.ts';
import { type Found, findByName } from './users.ts';

/** The proxy's own account in the directory. */
export interface ServiceAccount {
  readonly dn: string;
  readonly password: Secret;
}

/**
 * The proxy's own account finds the user's entry; then a bind with that entry's name tells whether the password is
 * right. A user who is not found costs the same: a bind with the name of an entry that does not exist.
 */
export function createSearchingLogins(
  options: LdapVerifierOptions,
  search: NonNullable<LdapVerifierOptions['search']>,
  account: ServiceAccount,
  dependencies: LoginDependencies,
): Logins {
  const { servers, open } = dependencies;
  const nobody = `cn=nobody-of-this-name,${search.base}`;
  const guard = createBindGuard(account.dn, { ...dependencies, verifier: options.name });
  const passwordTurns = createTurns(turnsOf(options));
  const service = createServiceConnections(options.connections, {
    servers,
    turns: createTurns(turnsOf(options)),
    open: openAsService,
  });

  async function openAsService(server: LdapServer, signal: AbortSignal): Promise<LdapConnection> {
    const connection = await open(server, signal);
    try {
      await guard.attempt(() => connection.bind(account.dn, account.password.reveal(), signal), signal);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  function find(username: string, signal: AbortSignal): Promise<Found> {
    return service.use(
      (connection, limited) => findByName(options, search, username, connection, limited),
      signal,
    );
  }

  /** @returns why not, or undefined when the password is right */
  function checkPassword(dn: string, password: string, signal: AbortSignal): Promise<string | undefined> {
    const attempt = async (server: LdapServer, limited: AbortSignal) => {
      const connection = await open(server, limited);
      try {
        return await connection.bind(dn, password, limited);
      } finally {
        connection.close();
      }
    };
    return passwordTurns.run(() => servers.ask(attempt, signal), signal);
  }

  async function describe(username: string, entry: DirectoryEntry, signal: AbortSignal): Promise<Outcome> {
    const identity = await identify(options, entry, (work) => service.use(work, signal));
    if (typeof identity === 'string') return refused(identity);
    return { type: 'identity', identity, anchor: anchorOf(username, entry) };
  }

  async function renewIdentity(
    identity: Identity,
    anchor: string | undefined,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const username = usernameOf(anchor ?? '');
    // Nobody asks with this password: the check is of the name.
    if (anchor === undefined || credentialProblem(username, '-') !== undefined) {
      return refused('no login that this verifier remembers');
    }
    const found = await find(username, signal);
    if (found.type === 'none') return refused(`${found.reason} any more`);
    if (anchorOf(username, found.entry) !== anchor)
      return refused('another entry, or another password, since');
    const outcome = await describe(username, found.entry, signal);
    if (outcome.type === 'identity' && outcome.identity.name !== identity.name) {
      return refused('the user has another name now');
    }
    return outcome;
  }

  return {
    async login(username, password, signal) {
      const found = await find(username, signal);
      const [dn, shown] =
        found.type === 'entry' ? [found.entry.dn, password] : [nobody, randomBytes(16).toString('hex')];
      const refusal = await checkPassword(dn, shown, signal);
      if (found.type === 'none') return refused(found.reason);
      return refusal === undefined ? describe(username, found.entry, signal) : refused(refusal);
    },
    renew: renewIdentity,
    close: () => service.close(),
  };
}
