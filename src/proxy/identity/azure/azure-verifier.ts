import type { Clock } from '../../../core/index.ts';
import type { HostLookup } from '../../../network/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { checkToken, readToken } from '../json-web-token/index.ts';
import { createKeySource, type KeySource } from '../key-sets/index.ts';
import { settle } from '../settle.ts';
import type { Outcome, Verifier } from '../verifier.ts';
import { identify } from './azure-identity.ts';
import { issuersOf, keySetUrlOf } from './issuers.ts';
import type { AzureVerifierOptions } from './options.ts';

export interface AzureVerifierDependencies {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  readonly resolve?: HostLookup;
}

interface Tenant {
  readonly id: string;
  readonly keys: KeySource;
}

/**
 * Tokens that Entra ID made for our audience, shown as the password; the user name plays no part. Each tenant has keys and
 * issuers of its own. A machine gets a new token whenever it likes, so they are not renewed here.
 * @throws {KeySetError} for a `jwksFile` that holds no key that can be used
 */
export function createAzureVerifier(
  options: AzureVerifierOptions,
  dependencies: AzureVerifierDependencies,
): Verifier {
  const { name, username, authority, tenants } = options;
  const { clock } = dependencies;
  const byIssuer = new Map<string, Tenant>();
  const sources = tenants.map((id) => {
    const location = { ...options, jwksUrl: keySetUrlOf(authority, id), algorithms: ['RS256'] as const };
    const tenant = { id, keys: createKeySource(location, dependencies) };
    for (const issuer of issuersOf(authority, id)) byIssuer.set(issuer, tenant);
    return tenant.keys;
  });
  let closed = false;

  async function check(token: string): Promise<Outcome> {
    const issuer = readToken(token)?.claims.iss;
    const tenant = typeof issuer === 'string' ? byIssuer.get(issuer) : undefined;
    if (typeof issuer !== 'string' || !tenant) {
      return { type: 'refused', reason: 'it is no token of these tenants' };
    }
    const { leeway: leewayMs, maximumAge: maximumAgeMs } = options;
    const expectations = { issuer, audiences: options.audience, leewayMs, maximumAgeMs };
    const checked = await checkToken(token, expectations, { keys: tenant.keys, clock });
    return checked.type === 'valid' ? identify(options, tenant.id, checked.claims) : checked;
  }

  return {
    name,
    ...(username !== undefined && { username }),
    issued: (password) => byIssuer.has(String(readToken(password.reveal())?.claims.iss)),
    async verify({ password }, signal) {
      if (closed) return { type: 'cannot-tell', reason: 'the verifier is closed' };
      return settle(() => check(password.reveal()), signal);
    },
    async close() {
      closed = true;
      await Promise.all(sources.map((keys) => keys.close()));
    },
  };
}
