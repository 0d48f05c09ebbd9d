import { LRUCache } from 'lru-cache';
import { type BackoffOptions, backoffDelayMs, type Clock } from '../../../../core/index.ts';
import type { Credential, CredentialProvider } from '../../../../credentials/index.ts';
import type { Logger } from '../../../../telemetry/index.ts';
import { UpstreamError } from '../../errors.ts';
import { Budget } from '../budget/index.ts';
import { CredentialGuard, type Outcome, type Proof } from './credential-guard.ts';
import { TokenCache } from './token-cache.ts';

export interface AccountDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  /** From 0 to below 1, for jitter only. */
  readonly random: () => number;
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
  readonly #guard: CredentialGuard;
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
    const { clock, log } = dependencies;
    this.#provider = provider;
    this.#registryName = registryName;
    this.#dependencies = dependencies;
    this.tokens = new TokenCache(clock);
    this.budget = new Budget(clock);
    this.#guard = new CredentialGuard(clock, log);
  }

  /** Whether it makes sense to try this account for the scope, as far as is known without trying. */
  serves(scope: string): boolean {
    const now = this.#dependencies.clock.now();
    return (
      this.#guard.isOpen(scope) &&
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
  async attempt<T>(
    scope: string,
    signal: AbortSignal,
    run: (
      credential: Credential | undefined,
    ) => Promise<{ readonly result: T; readonly outcome: Outcome; readonly proof?: Proof | undefined }>,
    abandon: (result: T) => void = () => {},
  ): Promise<T> {
    const credential = await this.#credential(signal);
    const first = await this.#guarded(credential, scope, run);
    const isRefused = first.outcome === 'refused' || first.outcome === 'unauthorized';
    if (!credential || !isRefused || !this.#provider.discard) return first.result;
    this.#provider.discard(credential);
    const renewed = await this.#credential(signal);
    if (!renewed || isSame(renewed, credential)) return first.result;
    abandon(first.result);
    return (await this.#guarded(renewed, scope, run)).result;
  }

  async #guarded<T>(
    credential: Credential | undefined,
    scope: string,
    run: (
      credential: Credential | undefined,
    ) => Promise<{ readonly result: T; readonly outcome: Outcome; readonly proof?: Proof | undefined }>,
  ): Promise<{ readonly result: T; readonly outcome: Outcome }> {
    if (!credential) return run(undefined);
    return this.#guard.attempt(credential, scope, () => run(credential));
  }

  /** After a failure the provider is left alone for a while, which grows: what it asks may be in trouble. */
  async #credential(signal: AbortSignal): Promise<Credential | undefined> {
    const { clock, random } = this.#dependencies;
    if (this.#failure && clock.now() < this.#failure.until) throw this.#failure.error;
    try {
      const credential = await this.#provider.credential({ registry: this.#registryName, signal });
      this.#failure = undefined;
      return credential;
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      const count = (this.#failure?.count ?? 0) + 1;
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

function isSame(one: Credential, other: Credential): boolean {
  return one.username === other.username && one.password.equals(other.password);
}
