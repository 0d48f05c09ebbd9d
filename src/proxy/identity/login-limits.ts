import ipaddr from 'ipaddr.js';
import type { Clock } from '../../core/index.ts';
import { isRecord } from '../../oci/index.ts';
import type { StateStore } from '../../state/index.ts';
import type { LoginLimitOptions } from './options.ts';

/** Whether a login may be tried now. */
export type Admittance =
  | { readonly type: 'open' }
  | { readonly type: 'limited'; readonly reason: string; readonly retryAfterSeconds: number };

/** Counts failed logins, by where they come from and by whom they are for. */
export interface LoginLimits {
  /**
   * @param account as it was shown: unknown names are counted like known ones, so that the answer tells nothing.
   * Undefined where it plays no part, as with a token of an issuer: those can't be guessed, and many share one name.
   */
  check(address: string, account: string | undefined): Promise<Admittance>;
  failed(address: string, account: string | undefined): Promise<void>;
  /** Forgets the failures of the account, not those of the address. */
  succeeded(account: string): Promise<void>;
}

export interface LoginLimitDependencies {
  readonly state: StateStore;
  readonly clock: Clock;
}

const COLLECTION = 'login-failures';
const MAXIMUM_ACCOUNT_LENGTH = 256;
const MAXIMUM_CONTENDERS = 5;
/** A subscriber has at least such a network, and could use each address of it once. */
const IPV6_PREFIX_BYTES = 8;

/** Limits within fixed windows that begin with the first failure. */
export function createLoginLimits(
  options: LoginLimitOptions,
  { state, clock }: LoginLimitDependencies,
): LoginLimits {
  const { failuresPerAddress, failuresPerAccount, window } = options;

  async function waitFor(key: string, limit: number): Promise<number> {
    const record = await state.get(COLLECTION, key);
    return record && countOf(record.value) >= limit ? record.expiresAt - clock.now() : 0;
  }

  async function count(key: string): Promise<void> {
    for (let contender = 0; contender < MAXIMUM_CONTENDERS; contender += 1) {
      const record = await state.get(COLLECTION, key);
      const done = record
        ? await state.replace(
            COLLECTION,
            key,
            counted(countOf(record.value) + 1),
            record.expiresAt,
            record.version,
          )
        : await state.insert(COLLECTION, key, counted(1), clock.now() + window);
      if (done) return;
    }
  }

  return {
    async check(address, account) {
      const waits = await Promise.all([
        waitFor(addressKey(address), failuresPerAddress),
        account === undefined ? 0 : waitFor(accountKey(account), failuresPerAccount),
      ]);
      const longestMs = Math.max(...waits);
      if (longestMs <= 0) return { type: 'open' };
      return {
        type: 'limited',
        reason: 'too many failed logins',
        retryAfterSeconds: Math.ceil(longestMs / 1000),
      };
    },
    async failed(address, account) {
      await count(addressKey(address));
      if (account !== undefined) await count(accountKey(account));
    },
    async succeeded(account) {
      await state.delete(COLLECTION, accountKey(account));
    },
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

function counted(count: number): string {
  return JSON.stringify({ count });
}

function countOf(value: string): number {
  const record: unknown = JSON.parse(value);
  return isRecord(record) && typeof record.count === 'number' ? record.count : 0;
}
