import { createTurns } from '../../../core/index.ts';
import type { LdapConnection } from './connection.ts';
import { identify, type LoginDependencies, type Logins, refused, turnsOf } from './logins.ts';
import type { LdapVerifierOptions } from './options.ts';
import { fillBindName } from './template.ts';
import { type Found, findByDn, findByName } from './users.ts';

/**
 * Users log in under a name made from what they typed, and look themselves up. Without an account of the proxy's own
 * nobody can be asked about them later, so there is no `renew`.
 */
export function createDirectLogins(
  options: LdapVerifierOptions,
  userDn: string,
  dependencies: LoginDependencies,
): Logins {
  const { servers, open } = dependencies;
  const turns = createTurns(turnsOf(options));

  function find(
    bindName: string,
    username: string,
    connection: LdapConnection,
    signal: AbortSignal,
  ): Promise<Found> {
    return options.search
      ? findByName(options, options.search, username, connection, signal)
      : findByDn(options, bindName, connection, signal);
  }

  return {
    async login(username, password, signal) {
      const bindName = fillBindName(userDn, username);
      if (bindName === undefined) return refused('no possible user name');
      return turns.run(
        () =>
          servers.ask(async (server, limited) => {
            const connection = await open(server, limited);
            try {
              const refusal = await connection.bind(bindName, password, limited);
              if (refusal !== undefined) return refused(refusal);
              const found = await find(bindName, username, connection, limited);
              if (found.type === 'none') return refused(found.reason);
              const identity = await identify(options, found.entry, (work) => work(connection, limited));
              return typeof identity === 'string' ? refused(identity) : { type: 'identity', identity };
            } finally {
              connection.close();
            }
          }, signal),
        signal,
      );
    },
    close: () => undefined,
  };
}
