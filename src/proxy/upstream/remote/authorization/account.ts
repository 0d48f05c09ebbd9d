import { LRUCache } from 'lru-cache';
import { type BackoffOptions, backoffDelayMs, type Clock } from '../../../../core/index.ts';
import type { Credential, CredentialProvider } from '../../../../credentials/index.ts';
import type { Logger } from '../../../../telemetry/index.ts';
import { UpstreamError } from '../../errors.ts';
import { Budget } from '../budget/index.ts';
import { CredentialAttempts } from './credential-attempts.ts';
import type { Attempt } from './credential-watch.ts';
import { TokenCache } from './token-cache.ts';

export interface AccountDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  /** From 0 to below 1, for jitter only. */
  readonly random: () => number;
  /** Aborted when the upstream is closed. */
  readonly closed: AbortSignal;
  /** A credential that should have held was turned away and has been replaced. */
  readonly onRenewal: () => void;
}

/** The provider has no credential now; another account may. */
export class CredentialFailure extends UpstreamError {}

const FAILURE_BACKOFF: BackoffOptions = { baseMs: 1000, capMs: 30_000 };
const MAXIMUM_CLOSED_SCOPES = 1024;
const CLOSED_MS = 5 * 60_000;

/** One credential for a registry, and all that is known of it: its tokens, whether it is any good, what is left. */
export class Account {
  readonly tokens: TokenCache;
  readonly budget: Budget;
  readonly #provider: CredentialProvider;
  readonly #registryName: string;
  readonly #dependencies: AccountDependencies;
  readonly #attempts: CredentialAttempts;
  /** Scopes that the registry did not open to this account, and until when it is not asked again for others' sake. */
  readonly #closedScopes = new LRUCache<string, number>({ max: MAXIMUM_CLOSED_SCOPES });
  #failure: { readonly error: CredentialFailure; readonly count: number; readonly until: number } | undefined;

  constructor(
    /** Its place in the pool, from 0. */
    readonly index: number,
    provider: CredentialProvider,
    registryName: string,
    dependencies: AccountDependencies,
  ) {
    const { clock } = dependencies;
    this.#provider = provider;
    this.#registryName = registryName;
    this.#dependencies = dependencies;
    this.tokens = new TokenCache(clock);
    this.budget = new Budget(clock);
    this.#attempts = new CredentialAttempts({
      ...dependencies,
      provider,
      ask: (signal) => this.#credential(signal),
    });
  }

  /** Whether it makes sense to try this account for the scope, as far as is known without trying. */
  serves(scope: string): boolean {
    const now = this.#dependencies.clock.now();
    return (
      this.#attempts.isOpen(scope) &&
      (this.#failure?.until ?? 0) <= now &&
      (this.#closedScopes.get(scope) ?? 0) <= now
    );
  }

  /** The registry does not open the scope to this account. */
  closed(scope: string): void {
    this.#closedScopes.set(scope, this.#dependencies.clock.now() + CLOSED_MS);
  }

  /**
   * Makes an attempt with the credential, or without where there is none. A credential that is turned away is handed
   * back to a provider that can make a new one, and a new one is tried once.
   * @param abandon called with a result in whose place a second attempt is made
   * @throws {UpstreamError} `refused`, without an attempt, while the credential is known to be bad
   * @throws {CredentialFailure}
   */
  attempt<T>(
    scope: string,
    signal: AbortSignal,
    run: (credential: Credential | undefined) => Promise<Attempt<T>>,
    abandon?: (result: T) => void,
  ): Promise<T> {
    return this.#attempts.make(scope, signal, run, abandon);
  }

  /** After a failure the provider is left alone for a while, which grows: what it asks may be in trouble. */
  async #credential(signal: AbortSignal): Promise<Credential | undefined> {
    const { clock, random } = this.#dependencies;
    const before = this.#failure;
    if (before && clock.now() < before.until) throw before.error;
    try {
      const credential = await this.#provider.credential({ registry: this.#registryName, signal });
      this.#failure = undefined;
      return credential;
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      // However many waited for it together, it has failed once.
      if (this.#failure && this.#failure !== before) throw this.#failure.error;
      const count = (before?.count ?? 0) + 1;
      const error = new CredentialFailure(
        'unreachable',
        'the credential for the registry cannot be had now',
        { cause },
      );
      this.#failure = { error, count, until: clock.now() + backoffDelayMs(count, FAILURE_BACKOFF, random) };
      throw error;
    }
  }
}
