import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { verify as verifyBcrypt } from '@node-rs/bcrypt';
import type { Clock } from '../../core/index.ts';
import { bcryptCost, HtpasswdError, isUsername, parseHtpasswd } from './htpasswd-file.ts';
import type { Identity } from './identity.ts';
import type { HtpasswdVerifierOptions } from './options.ts';
import {
  createPasswordChecker,
  defaultPasswordCheckerOptions,
  type PasswordCheckerOptions,
  type VerifyHash,
} from './password-checker.ts';
import { settle } from './settle.ts';
import type { Outcome, Verifier } from './verifier.ts';

export interface HtpasswdDependencies {
  readonly clock: Clock;
  /** bcrypt, off the event loop. */
  readonly verifyHash?: VerifyHash;
  readonly limits?: PasswordCheckerOptions;
}

/** bcrypt reads this many bytes of a password and forgets the rest. */
const MAXIMUM_PASSWORD_BYTES = 72;
/** Stands for a password that bcrypt would not read whole, so that refusing it takes equally long. */
const UNREADABLE_PASSWORD = '-';
const DEFAULT_COST = 10;

/**
 * Users in a password file. The file is read once, when the configuration is loaded: a changed file is a new
 * verifier. A user who is not in it costs as many rounds of bcrypt as one who is, also where hashes of several costs stand
 * in one file.
 * @throws {HtpasswdError}
 */
export function createHtpasswdVerifier(
  options: HtpasswdVerifierOptions,
  dependencies: HtpasswdDependencies,
): Verifier {
  const { clock, verifyHash = verifyBcrypt, limits = defaultPasswordCheckerOptions } = dependencies;
  const users = readUsers(options);
  const dummies = new Map(costsOf(users).map((cost) => [cost, makeDummyHash(cost)]));
  const checker = createPasswordChecker(limits, { clock, verifyHash });
  let closed = false;

  function identityOf(username: string, hash: string): Outcome {
    const identity: Identity = { verifier: options.name, name: username, groups: [], claims: {} };
    return { type: 'identity', identity, anchor: anchorOf(hash) };
  }

  async function computeDummies(username: string, password: string, except?: number): Promise<void> {
    for (const [cost, dummy] of dummies) {
      if (cost !== except) await checker.check(username, password, dummy);
    }
  }

  /** Every refusal costs one hash of each cost in the file: no user can be told from another, nor from nobody. */
  async function check(username: string, password: string): Promise<Outcome> {
    const hash = users.get(username);
    const isReadWhole = Buffer.byteLength(password) <= MAXIMUM_PASSWORD_BYTES && !password.includes('\0');
    if (hash === undefined || !isReadWhole) {
      await computeDummies(username, isReadWhole ? password : UNREADABLE_PASSWORD);
      const reason = isReadWhole
        ? 'no such user'
        : 'the password is longer than bcrypt reads, or holds a NUL';
      return { type: 'refused', reason };
    }
    if (await checker.check(username, password, hash)) return identityOf(username, hash);
    await computeDummies(username, password, bcryptCost(hash));
    return { type: 'refused', reason: 'wrong password' };
  }

  return {
    name: options.name,
    ...(options.username !== undefined && { username: options.username }),
    async verify(credential, signal) {
      if (closed) return { type: 'cannot-tell', reason: 'the verifier is closed' };
      const password = credential.password.reveal();
      if (!isUsername(credential.username)) return { type: 'refused', reason: 'no possible user name' };
      if (password === '') return { type: 'refused', reason: 'the password is empty' };
      return settle(() => check(credential.username, password), signal);
    },
    async renew(identity, anchor) {
      if (closed) return { type: 'cannot-tell', reason: 'the verifier is closed' };
      const hash = users.get(identity.name);
      if (hash === undefined) return { type: 'refused', reason: 'no such user any more' };
      if (anchor === undefined || !isSameText(anchor, anchorOf(hash))) {
        return { type: 'refused', reason: 'the password has changed' };
      }
      return identityOf(identity.name, hash);
    },
    async close() {
      closed = true;
      checker.close();
    },
  };
}

function readUsers(options: HtpasswdVerifierOptions): ReadonlyMap<string, string> {
  try {
    return parseHtpasswd(options.file.text());
  } catch (error) {
    throw error instanceof HtpasswdError
      ? new HtpasswdError(error.line, error.problem, options.file.path)
      : error;
  }
}

/** Each cost of the file once. As each step doubles the work, all of them take less than twice the highest one. */
function costsOf(users: ReadonlyMap<string, string>): readonly number[] {
  const costs = new Set([...users.values()].map(bcryptCost));
  return costs.size > 0 ? [...costs] : [DEFAULT_COST];
}

/** A well-formed hash of no password that anybody knows. Its last characters hold only the bits that are read. */
function makeDummyHash(cost: number): string {
  const letters = (count: number): string =>
    randomBytes(count).toString('base64url').replaceAll('-', '.').replaceAll('_', '/').slice(0, count);
  return `$2b$${String(cost).padStart(2, '0')}$${letters(21)}.${letters(30)}.`;
}

function anchorOf(hash: string): string {
  return createHash('sha256').update(`htpasswd\n${hash}`).digest('base64url').slice(0, 22);
}

function isSameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
