import type { Clock, Secret } from '../../../core/index.ts';
import type { HostLookup } from '../../../network/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import {
  checkToken,
  claimAt,
  groupsFrom,
  matchesPattern,
  nameFrom,
  pickClaims,
  readToken,
} from '../json-web-token/index.ts';
import { createKeySource } from '../key-sets/index.ts';
import { settle } from '../settle.ts';
import type { Outcome, Verifier } from '../verifier.ts';
import type { JwtVerifierOptions } from './options.ts';

export interface JwtDependencies {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  readonly resolve?: HostLookup;
}

type Claims = Readonly<Record<string, unknown>>;

const MAXIMUM_SUBJECT_LENGTH = 2048;

/**
 * Tokens that an issuer signed, shown as the password; the user name plays no part. They end too soon to be renewed,
 * and nobody can be asked without them.
 * @throws {KeySetError} for a `jwksFile` that holds no key that can be used
 */
export function createJwtVerifier(options: JwtVerifierOptions, dependencies: JwtDependencies): Verifier {
  const { name, username, issuer } = options;
  const { clock } = dependencies;
  const keys = createKeySource(options, dependencies);
  const expectations = {
    issuer,
    audiences: options.audience,
    leewayMs: options.leeway,
    maximumAgeMs: options.maximumAge,
  };
  let closed = false;

  /** Without an issuer, the subjects tell whose tokens they are. */
  function issued(password: Secret): boolean {
    return (
      options.subjects !== undefined && isSubject(readToken(password.reveal())?.claims.sub, options.subjects)
    );
  }

  async function check(token: string): Promise<Outcome> {
    const checked = await checkToken(token, expectations, { keys, clock });
    return checked.type === 'valid' ? identify(options, checked.claims) : checked;
  }

  return {
    name,
    ...(username !== undefined && { username }),
    ...(issuer !== undefined ? { issuer } : { issued }),
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

function identify(options: JwtVerifierOptions, claims: Claims): Outcome {
  const missing = Object.entries(options.requiredClaims).find(
    ([claim, wanted]) => !isWanted(claimAt(claims, claim), wanted),
  );
  if (missing) return { type: 'refused', reason: `its claim ${missing[0]} is not the required one` };
  if (options.subjects && !isSubject(claims.sub, options.subjects)) {
    return { type: 'refused', reason: 'its sub is none of the subjects' };
  }
  const name = nameFrom(claimAt(claims, options.nameClaim));
  if (name === undefined) {
    return { type: 'refused', reason: `its claim ${options.nameClaim} can't be a name` };
  }
  const groups = groupsFrom(
    options.groupsClaim === undefined ? undefined : claimAt(claims, options.groupsClaim),
  );
  if (!groups) return { type: 'refused', reason: `its claim ${options.groupsClaim} is no list of texts` };
  return {
    type: 'identity',
    identity: { verifier: options.name, name, groups, claims: pickClaims(claims, options.claims) },
  };
}

function isWanted(value: unknown, wanted: unknown): boolean {
  return Array.isArray(wanted) ? wanted.includes(value) : value === wanted;
}

function isSubject(subject: unknown, patterns: readonly string[]): boolean {
  return (
    typeof subject === 'string' &&
    subject.length <= MAXIMUM_SUBJECT_LENGTH &&
    patterns.some((pattern) => matchesPattern(pattern, subject))
  );
}
