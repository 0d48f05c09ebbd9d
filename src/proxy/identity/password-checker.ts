import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Clock, createTurns } from '../../core/index.ts';

/** Whether a password is the one that a hash was made of. */
export type VerifyHash = (password: string, hash: string) => Promise<boolean>;

export interface PasswordCheckerOptions {
  /** How many hashes are computed at a time. */
  readonly concurrency: number;
  /** How many checks may wait beside those that run. */
  readonly queueLimit: number;
  /** How long a password that was right is remembered. */
  readonly rememberMs: number;
}

/**
 * Spares the CPU: a few hashes at a time, one for equal checks that run at once, and none for a password that was
 * right a moment ago. Only right ones are remembered, by a keyed hash over everything that made them right.
 */
export interface PasswordChecker {
  /** @throws {TooManyWaitError} */
  check(username: string, password: string, hash: string): Promise<boolean>;
  close(): void;
}

const REMEMBERED_PASSWORDS = 1000;

/** Every hash takes one of the four threads that files and name look-ups need too. */
export const defaultPasswordCheckerOptions: PasswordCheckerOptions = {
  concurrency: 2,
  queueLimit: 256,
  rememberMs: 60_000,
};

export function createPasswordChecker(
  options: PasswordCheckerOptions,
  dependencies: { readonly clock: Clock; readonly verifyHash: VerifyHash },
): PasswordChecker {
  const { clock, verifyHash } = dependencies;
  const key = randomBytes(32);
  const rightUntil = new LRUCache<string, number>({ max: REMEMBERED_PASSWORDS });
  const running = new Map<string, Promise<boolean>>();
  const turns = createTurns({ ...options, what: 'logins' });

  function digestOf(parts: readonly string[]): string {
    // JSON keeps the parts apart, whatever they hold.
    return createHmac('sha256', key).update(JSON.stringify(parts)).digest('base64');
  }

  function isRemembered(digest: string): boolean {
    const until = rightUntil.get(digest);
    if (until === undefined) return false;
    if (until > clock.now()) return true;
    rightUntil.delete(digest);
    return false;
  }

  async function compute(password: string, hash: string, digest: string): Promise<boolean> {
    try {
      const right = await turns.run(() => verifyHash(password, hash));
      if (right) rightUntil.set(digest, clock.now() + options.rememberMs);
      return right;
    } finally {
      running.delete(digest);
    }
  }

  return {
    async check(username, password, hash) {
      const digest = digestOf([username, password, hash]);
      if (isRemembered(digest)) return true;
      const earlier = running.get(digest);
      if (earlier !== undefined) return earlier;
      const check = compute(password, hash, digest);
      running.set(digest, check);
      return check;
    },
    close() {
      rightUntil.clear();
    },
  };
}
