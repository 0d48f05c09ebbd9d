import { type Clock, parseUrl, Secret } from '../../../core/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { settle } from '../settle.ts';
import type { Outcome, Verifier } from '../verifier.ts';
import { openConnection } from './connection.ts';
import { createDirectLogins } from './direct-logins.ts';
import { LdapSetupError } from './errors.ts';
import type { LoginDependencies, Logins } from './logins.ts';
import { createTrust, type LdapServer } from './open-socket.ts';
import type { LdapVerifierOptions } from './options.ts';
import { createSearchingLogins } from './searching-logins.ts';
import { createServers } from './servers.ts';
import { credentialProblem } from './shown-credential.ts';

export interface LdapDependencies {
  readonly clock: Clock;
  readonly log: Logger;
}

const DEFAULT_PORT = 389;
const DEFAULT_TLS_PORT = 636;

/**
 * Users in a directory that speaks LDAP (RFC 4511). Passwords are checked by simple binds; nothing is remembered of
 * them, so a changed password counts at once.
 * @throws {LdapSetupError} for a file that does not hold what it should
 */
export function createLdapVerifier(options: LdapVerifierOptions, dependencies: LdapDependencies): Verifier {
  const trust = createTrust(options.certificateAuthorityFile?.text());
  const logins = createLogins(options, {
    ...dependencies,
    servers: createServers(serversOf(options), options.timeout, { ...dependencies, verifier: options.name }),
    open: (server, signal) => openConnection(server, trust, signal),
  });
  const closing = new AbortController();

  function work(task: (signal: AbortSignal) => Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
    const limited = AbortSignal.any([signal, closing.signal]);
    return settle(() => task(limited), limited);
  }

  const { renew } = logins;
  return {
    name: options.name,
    ...(options.username !== undefined && { username: options.username }),
    async verify({ username, password }, signal) {
      const shown = password.reveal();
      const problem = credentialProblem(username, shown);
      if (problem !== undefined && !closing.signal.aborted) return { type: 'refused', reason: problem };
      return work((limited) => logins.login(username, shown, limited), signal);
    },
    ...(renew && {
      renew: (identity, anchor, signal) => work((limited) => renew(identity, anchor, limited), signal),
    }),
    async close() {
      closing.abort(new Error('the verifier is closed'));
      logins.close();
    },
  };
}

function createLogins(options: LdapVerifierOptions, dependencies: LoginDependencies): Logins {
  const { bindDn, userDn, search } = options;
  if (userDn !== undefined) return createDirectLogins(options, userDn, dependencies);
  if (bindDn === undefined || !search) throw new LdapSetupError('needs bindDn and search, or userDn');
  return createSearchingLogins(
    options,
    search,
    { dn: bindDn, password: bindPasswordOf(options) },
    dependencies,
  );
}

function bindPasswordOf({ bindPassword, bindPasswordFile }: LdapVerifierOptions): Secret {
  if (bindPassword) return bindPassword;
  const password = bindPasswordFile?.text().replace(/\r?\n$/, '') ?? '';
  // A bind without a password succeeds and finds what anybody may see.
  if (password === '') throw new LdapSetupError(`${bindPasswordFile?.path} holds no password`);
  return new Secret(password);
}

function serversOf({ url, urls = [], startTls }: LdapVerifierOptions): LdapServer[] {
  const all = url === undefined ? urls : [url];
  return all.map((text) => {
    const parsed = parseUrl(text);
    if (!parsed) throw new LdapSetupError(`${text} is no URL`);
    const tls = parsed.protocol === 'ldaps:';
    const port = parsed.port === '' ? (tls ? DEFAULT_TLS_PORT : DEFAULT_PORT) : Number(parsed.port);
    const host = parsed.hostname.replace(/^\[|\]$/g, '');
    return { url: text, host, port, protection: tls ? 'tls' : startTls ? 'start-tls' : 'none' };
  });
}
