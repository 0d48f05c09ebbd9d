import type { Clock } from '../../../core/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { LdapUnavailableError } from './errors.ts';
import type { LdapServer } from './open-socket.ts';
import { isServerFault } from './result-codes.ts';

/** Several servers with the same content. One is asked first until it fails, then the next one. */
export interface Servers {
  /**
   * Asks one server after another until one answers.
   * @param attempt gets a signal that ends with the time of this server
   * @throws {LdapUnavailableError} when none could; what the first answer was, when it was an error; the signal's reason
   */
  ask<T>(attempt: (server: LdapServer, signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createServers(
  servers: readonly LdapServer[],
  timeoutMs: number,
  dependencies: { readonly clock: Clock; readonly log: Logger; readonly verifier: string },
): Servers {
  const { clock, log, verifier } = dependencies;
  let preferred = 0;

  async function attemptInTime<T>(
    server: LdapServer,
    attempt: (server: LdapServer, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const over = new AbortController();
    const tooSlow = new AbortController();
    clock.sleep(timeoutMs, over.signal).then(
      () => tooSlow.abort(new Error(`no answer within ${timeoutMs} ms`)),
      () => undefined,
    );
    try {
      return await attempt(server, AbortSignal.any([signal, tooSlow.signal]));
    } finally {
      over.abort();
    }
  }

  return {
    async ask(attempt, signal) {
      const reasons: string[] = [];
      const causes: unknown[] = [];
      const first = preferred;
      for (let tried = 0; tried < servers.length; tried++) {
        const index = (first + tried) % servers.length;
        const server = servers[index];
        if (!server) break;
        try {
          return await attemptInTime(server, attempt, signal);
        } catch (error) {
          signal.throwIfAborted();
          if (!isServerFault(error)) throw error;
          const reason = error instanceof Error ? error.message : String(error);
          reasons.push(`${server.url}: ${reason}`);
          causes.push(error);
          if (preferred === index) preferred = (index + 1) % servers.length;
          if (tried + 1 < servers.length) {
            log.warn(
              { verifier, server: server.url, reason },
              'an LDAP server could not answer; asking the next',
            );
          }
        }
      }
      throw new LdapUnavailableError(reasons, causes);
    },
  };
}
