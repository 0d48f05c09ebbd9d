import type { Clock, Secret } from '../../../core/index.ts';
import type { HostLookup } from '../../../network/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import { checkToken, readToken } from '../json-web-token/index.ts';
import { createKeySource } from '../key-sets/index.ts';
import { settle } from '../settle.ts';
import type { Verifier } from '../verifier.ts';
import type { KubernetesOfflineOptions, KubernetesVerifierOptions } from './options.ts';
import { accountOfClaims, identify, parseAccountName } from './service-account.ts';
import { createTokenReviewer, type TokenChecker } from './token-review.ts';

export interface KubernetesDependencies {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  readonly resolve?: HostLookup;
}

/**
 * Tokens of service accounts, shown as the password; the user name plays no part. They are renewed by the kubelet, not
 * here.
 * @throws {KeySetError} for a `jwksFile` that holds no key that can be used
 */
export function createKubernetesVerifier(
  options: KubernetesVerifierOptions,
  dependencies: KubernetesDependencies,
): Verifier {
  const { name, username, issuer, review, offline } = options;
  const checker = review
    ? createTokenReviewer(options, review, dependencies.clock)
    : createOfflineChecker(options, requirePresent(offline), dependencies);
  let closed = false;
  return {
    name,
    ...(username !== undefined && { username }),
    ...(issuer !== undefined && { issuer }),
    // With an issuer, that picks the verifier.
    ...(issuer === undefined && { issued: isAccountToken }),
    async verify({ password }, signal) {
      if (closed) return { type: 'cannot-tell', reason: 'the verifier is closed' };
      return settle(() => checker.check(password), signal);
    },
    async close() {
      closed = true;
      await checker.close();
    },
  };
}

function createOfflineChecker(
  options: KubernetesVerifierOptions,
  offline: KubernetesOfflineOptions,
  dependencies: KubernetesDependencies,
): TokenChecker {
  const keys = createKeySource({ ...offline, issuer: options.issuer }, dependencies);
  const expectations = {
    issuer: requirePresent(options.issuer),
    audiences: options.audience,
    leewayMs: offline.leeway,
    maximumAgeMs: offline.maximumAge,
  };
  return {
    async check(token) {
      const checked = await checkToken(token.reveal(), expectations, { keys, clock: dependencies.clock });
      return checked.type === 'valid' ? identify(options, accountOfClaims(checked.claims)) : checked;
    },
    close: () => keys.close(),
  };
}

function isAccountToken(password: Secret): boolean {
  return parseAccountName(readToken(password.reveal())?.claims.sub) !== undefined;
}

/** What the options' schema has made sure of. */
function requirePresent<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the options name neither review nor offline with an issuer');
  return value;
}
