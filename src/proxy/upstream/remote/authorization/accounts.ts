import type { CredentialProvider } from '../../../../credentials/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { RateLimit } from '../budget/index.ts';
import type { Answer } from '../transport/index.ts';
import { Account, type AccountDependencies } from './account.ts';

export interface AccountsDependencies extends AccountDependencies {
  /** A registry has said what an account has left. */
  readonly onRateLimit: (account: number, limit: RateLimit) => void;
}

/** The credentials of an upstream, and the choice between them. */
export class Accounts {
  readonly #all: readonly Account[];
  readonly #dependencies: AccountsDependencies;

  constructor(provider: CredentialProvider, registryName: string, dependencies: AccountsDependencies) {
    const providers = provider.members ?? [provider];
    this.#dependencies = dependencies;
    this.#all = providers.map((member, index) => {
      const log = providers.length > 1 ? dependencies.log.child({ credential: index }) : dependencies.log;
      return new Account(index, member, registryName, { ...dependencies, log });
    });
  }

  /**
   * The account to ask next: of those that may be asked and are not known to be turned away, the one with most left.
   * Where nothing is known the order of the configuration decides.
   * @param tried those that have been asked already
   * @returns undefined when there is no other one
   * @throws {UpstreamError} `rate-limited` when the registry has asked all of them to wait
   */
  choose(scope: string, tried: ReadonlySet<Account>): Account | undefined {
    const left = this.#all.filter((account) => !tried.has(account));
    const rested = left.filter(({ budget }) => budget.pausedMs === 0);
    if (left.length > 0 && rested.length === 0 && tried.size === 0) throw this.#rateLimited();
    const serving = rested.filter((account) => account.serves(scope));
    // With none that serves, the first one says why not.
    const candidates = serving.length > 0 || tried.size > 0 ? serving : rested;
    return candidates.reduce<Account | undefined>(
      (best, account) => (best && best.budget.remaining >= account.budget.remaining ? best : account),
      undefined,
    );
  }

  /** Notes what an answer says about the limits. */
  note(account: Account, answer: Answer): void {
    const limit = account.budget.note(answer);
    if (limit) this.#dependencies.onRateLimit(account.index, limit);
  }

  /** Whether the registry counts what is pulled. */
  get isCounted(): boolean {
    return this.#all.some(({ budget }) => budget.isCounted);
  }

  /** The most that one account has left; without a limit where nothing is known, 0 while all have to wait. */
  get remaining(): number {
    return Math.max(...this.#all.map(({ budget }) => (budget.pausedMs > 0 ? 0 : budget.remaining)));
  }

  #rateLimited(): UpstreamError {
    const waitMs = Math.min(...this.#all.map(({ budget }) => budget.pausedMs));
    return new UpstreamError('rate-limited', 'the registry has asked us to wait, and nothing was sent', {
      retryAfter: String(Math.max(1, Math.ceil(waitMs / 1000))),
    });
  }
}
