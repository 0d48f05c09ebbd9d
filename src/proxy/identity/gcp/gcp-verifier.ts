import type { Clock } from '../../../core/index.ts';
import type { HostLookup } from '../../../network/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { checkToken } from '../json-web-token/index.ts';
import { createKeySource } from '../key-sets/index.ts';
import { settle } from '../settle.ts';
import type { Outcome, Verifier } from '../verifier.ts';
import { GOOGLE_ISSUER, identify } from './google-identity.ts';
import type { GcpVerifierOptions } from './options.ts';

export interface GcpVerifierDependencies {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  readonly resolve?: HostLookup;
}

/**
 * Identity tokens of Google, shown as the password; the user name plays no part. They last for an hour, and a machine gets a
 * new one whenever it likes, so they are not renewed here.
 * @throws {KeySetError} for a `jwksFile` that holds no key that can be used
 */
export function createGcpVerifier(
  options: GcpVerifierOptions,
  dependencies: GcpVerifierDependencies,
): Verifier {
  const { name, username } = options;
  const { clock } = dependencies;
  const keys = createKeySource({ ...options, algorithms: ['RS256'] }, dependencies);
  const expectations = {
    issuer: GOOGLE_ISSUER,
    audiences: options.audience,
    leewayMs: options.leeway,
    maximumAgeMs: options.maximumAge,
  };
  let closed = false;

  async function check(token: string): Promise<Outcome> {
    const checked = await checkToken(token, expectations, { keys, clock });
    return checked.type === 'valid' ? identify(options, checked.claims) : checked;
  }

  return {
    name,
    ...(username !== undefined && { username }),
    issuer: GOOGLE_ISSUER,
    async verify({ password }, signal) {
      if (closed) return { type: 'cannot-tell', reason: 'the verifier is closed' };
      return settle(() => check(password.reveal()), signal);
    },
    async close() {
      closed = true;
      await keys.close();
    },
  };
}
