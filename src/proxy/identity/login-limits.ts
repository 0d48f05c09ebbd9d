import ipaddr from 'ipaddr.js';
import type { Clock } from '../../core/index.ts';
import { createWindowedCount, type StateStore } from '../../state/index.ts';
import { type Admitted, createAttemptGate, type TurnedAway } from './attempt-gate.ts';
import type { LoginLimitOptions } from './options.ts';
import { withinTime } from './time-limit.ts';

/** Too many logins have failed. */
export interface Limited {
  readonly type: 'limited';
  readonly reason: string;
  readonly retryAfterSeconds: number;
}

/** A login that may be tried. Each has to be ended by one of these; {@link undecided} does nothing after another. */
export interface LoginAttempt {
  readonly type: 'open';
  /** Counts the failure. @returns what the client may hear: nothing when others have reached the limit meanwhile */
  failed(): Promise<Limited | undefined>;
  /** Forgets the failures of the account, not those of the address. @returns as {@link failed} does */
  succeeded(): Promise<Limited | undefined>;
  /** Nobody could tell: that counts neither way. */
  undecided(): void;
}

/** Counts failed logins, by where they come from and by whom they are for. */
export interface LoginLimits {
  /**
   * Lets a login be tried, now or when enough of those that are under way have ended.
   * @param account as it was shown: unknown names are counted like known ones, so that the answer tells nothing.
   * Undefined where it plays no part, as with a token of an issuer: those can't be guessed, and many share one name.
   * @throws when too many wait, when the store is down; the signal's reason
   */
  begin(address: string, account: string | undefined, signal: AbortSignal): Promise<LoginAttempt | Limited>;
}

export interface LoginLimitDependencies {
  readonly state: StateStore;
  readonly clock: Clock;
}

const COLLECTION = 'login-failures';
const MAXIMUM_ACCOUNT_LENGTH = 256;
/** For those under way to end. */
const LONGEST_WAIT_MS = 10_000;
/** A subscriber has at least such a network, and could use each address of it once. */
const IPV6_PREFIX_BYTES = 8;

/** Limits within fixed windows that begin with the first failure. */
export function createLoginLimits(
  options: LoginLimitOptions,
  { state, clock }: LoginLimitDependencies,
): LoginLimits {
  const failures = createWindowedCount(
    { collection: COLLECTION, windowMs: options.window },
    { state, clock },
  );
  const addresses = createAttemptGate(options.failuresPerAddress, { failures, clock });
  const accounts = createAttemptGate(options.failuresPerAccount, { failures, clock });

  async function enterAccount(
    whose: string | undefined,
    signal: AbortSignal,
  ): Promise<Admitted | TurnedAway | undefined> {
    return whose === undefined ? undefined : accounts.enter(whose, signal);
  }

  async function begin(
    address: string,
    account: string | undefined,
    signal: AbortSignal,
  ): Promise<LoginAttempt | Limited> {
    const from = addressKey(address);
    const whose = account === undefined ? undefined : accountKey(account);
    const fromAddress = await addresses.enter(from, signal);
    if (fromAddress.type === 'turned-away') return limited(fromAddress.waitMs);
    const ofAccount = await enterAccount(whose, signal).catch((error: unknown) => {
      fromAddress.release();
      throw error;
    });
    if (ofAccount?.type === 'turned-away') {
      fromAddress.release();
      return limited(ofAccount.waitMs);
    }

    /** Other processes count in the same store. */
    async function limitedMeanwhile(): Promise<Limited | undefined> {
      const waits = [await addresses.waitMs(from), whose ? await accounts.waitMs(whose) : 0];
      const longestMs = Math.max(...waits);
      return longestMs > 0 ? limited(longestMs) : undefined;
    }

    const release = (): void => {
      fromAddress.release();
      ofAccount?.release();
    };

    return {
      type: 'open',
      async failed() {
        try {
          const withheld = await limitedMeanwhile();
          await fromAddress.failed();
          await ofAccount?.failed();
          return withheld;
        } finally {
          release();
        }
      },
      async succeeded() {
        try {
          const withheld = await limitedMeanwhile();
          if (!withheld && whose) await accounts.forget(whose);
          return withheld;
        } finally {
          release();
        }
      },
      undecided: release,
    };
  }

  return {
    begin: (address, account, signal) =>
      withinTime(LONGEST_WAIT_MS, clock, signal, (limitedTime) => begin(address, account, limitedTime)),
  };
}

function limited(waitMs: number): Limited {
  return {
    type: 'limited',
    reason: 'too many failed logins',
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
  };
}

/** Under which failures and the like are counted: of IPv6, one /64 network. */
export function addressKey(address: string): string {
  if (!ipaddr.isValid(address)) return 'address:unknown';
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return `address:${parsed}`;
  return `address:${parsed.toByteArray().slice(0, IPV6_PREFIX_BYTES).join('.')}`;
}

function accountKey(account: string): string {
  return `account:${account.slice(0, MAXIMUM_ACCOUNT_LENGTH)}`;
}
