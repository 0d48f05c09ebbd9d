import type { Clock } from '../../../../core/index.ts';
import type { CredentialProvider } from '../../../../credentials/index.ts';
import type { Logger } from '../../../../telemetry/index.ts';
import { UpstreamError } from '../../errors.ts';
import { abortable } from '../abortable.ts';
import type { RateLimit } from '../budget/index.ts';
import type { Answer } from '../transport/index.ts';
import { type Account, CredentialFailure } from './account.ts';
import { Accounts } from './accounts.ts';
import { requirePassword } from './authorization-for.ts';
import { basicAuthorization } from './basic.ts';
import type { Outcome, Proof } from './credential-watch.ts';
import { chooseScheme, type Scheme, sameScheme } from './scheme.ts';
import { type BearerScheme, requestToken, type TokenSender } from './token-request.ts';

export interface AuthenticatorOptions {
  /** Where requests go; its origin alone sees the credential. */
  readonly registry: URL;
  /** `host[:port]` as in the configuration, for the provider. */
  readonly registryName: string;
  /** Origins of token servers that the configuration lists. */
  readonly realms: readonly string[];
}

export interface AuthenticatorDependencies {
  readonly credentials: CredentialProvider;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with a signal that is no single caller's: a token may be for many. */
  readonly sendTokenRequest: (signal: AbortSignal) => TokenSender;
  /** A token or credential that should have held was turned away and is being replaced. */
  readonly onRenewal: () => void;
  /** From 0 to below 1, for jitter only. */
  readonly random: () => number;
  /** A registry has said what a credential has left. @param account its place in the pool, from 0 */
  readonly onRateLimit: (account: number, limit: RateLimit) => void;
}

/** One request, and how it goes to the registry. */
export interface Sending {
  /** What the request needs, such as `repository:team/app:pull`. */
  readonly scope: string;
  readonly signal: AbortSignal;
  /** Sends it with this `Authorization`. */
  send(authorization: string | undefined): Promise<Answer>;
  /** A body has begun to flow, so it can't be sent once more, whatever is answered. */
  readonly isSpent: boolean;
  /** Only for a request that changes nothing. */
  readonly again: SendAgain | undefined;
}

/**
 * Asks for the same thing once more, by a request that changes nothing and brings no body, to see whether a credential
 * is still taken.
 */
export type SendAgain = (authorization: string, signal: AbortSignal) => Promise<Answer>;

const MAXIMUM_ATTEMPTS = 3;
const TOKEN_TIMEOUT_MS = 60_000;
const PROOF_TIMEOUT_MS = 30_000;

/**
 * Answers the registry's challenges. What worked is remembered, so that only the very first request is turned away
 * once; tokens are kept, and replaced once when the registry no longer takes them.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #dependencies: AuthenticatorDependencies;
  /** What the registry lets each credential do. */
  readonly accounts: Accounts;
  readonly #closed = new AbortController();
  #scheme: Scheme | undefined;

  constructor(options: AuthenticatorOptions, dependencies: AuthenticatorDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.accounts = new Accounts(dependencies.credentials, options.registryName, {
      ...dependencies,
      closed: this.#closed.signal,
    });
  }

  /**
   * Asks with one credential after the other until one is let in; most often that is the first.
   * @returns the registry's answer, whatever it is, except 401
   * @throws {UpstreamError} `refused`, `rate-limited`, `unsafe`, and what getting a token may reject with
   */
  async authorized(sending: Sending): Promise<Answer> {
    const { scope } = sending;
    const tried = new Set<Account>();
    let account = this.accounts.choose(scope, tried);
    for (;;) {
      if (!account) throw new TypeError('an upstream has no account');
      tried.add(account);
      const ended = await this.#ask(account, sending);
      const isFinal = sending.isSpent || !this.#mayHelp(ended);
      const next = isFinal ? undefined : this.accounts.choose(scope, tried);
      if (!next) {
        if (ended.type === 'answer') return ended.answer;
        throw ended.error;
      }
      if (ended.type === 'answer') ended.answer.discard();
      account = next;
    }
  }

  /** Whether another credential could come to more than this. */
  #mayHelp(ended: Ended): boolean {
    if (ended.type === 'answer') return ended.answer.status === 429 || ended.answer.status === 403;
    const { error } = ended;
    if (error instanceof CredentialFailure) return true;
    return error instanceof UpstreamError && (error.kind === 'refused' || error.kind === 'rate-limited');
  }

  async #ask(account: Account, sending: Sending): Promise<Ended> {
    const { scope, signal } = sending;
    try {
      const answer = await this.#answered(account, sending);
      this.accounts.note(account, answer);
      if (answer.status === 403) account.closed(scope);
      return { type: 'answer', answer };
    } catch (error) {
      if (signal.aborted || !(error instanceof UpstreamError)) throw error;
      if (error.kind === 'rate-limited') account.budget.pause(error.retryAfter);
      if (error.kind === 'refused') account.closed(scope);
      return { type: 'error', error };
    }
  }

  async #answered(account: Account, sending: Sending): Promise<Answer> {
    let scheme = this.#scheme;
    for (let attempt = 1; ; attempt += 1) {
      const { answer, conclusive } = await this.#sendWith(scheme, account, sending);
      if (answer.status !== 401) {
        this.#scheme = scheme ?? this.#scheme;
        return answer;
      }
      answer.discard();
      const offered = this.#offered(answer);
      const isRepeated = scheme && sameScheme(offered, scheme);
      if ((isRepeated && conclusive) || attempt === MAXIMUM_ATTEMPTS) {
        throw new UpstreamError('refused', `the registry does not let us at ${sending.scope}`);
      }
      if (isRepeated) this.#dependencies.onRenewal();
      scheme = offered;
    }
  }

  /** Ends requests for tokens; whoever still waits for one is turned away. */
  close(): void {
    this.#closed.abort(new UpstreamError('unreachable', 'the upstream has been closed'));
  }

  #offered(answer: Answer): Scheme {
    return chooseScheme(answer.headers.all('www-authenticate'), this.#options.registry, this.#options.realms);
  }

  /** `conclusive`: a 401 now means no; otherwise a token that was kept may have been at fault. */
  async #sendWith(
    scheme: Scheme | undefined,
    account: Account,
    sending: Sending,
  ): Promise<{ answer: Answer; conclusive: boolean }> {
    if (!scheme) return { answer: await sending.send(undefined), conclusive: false };
    if (scheme.type === 'basic') return { answer: await this.#sendBasic(account, sending), conclusive: true };
    const { scope, signal } = sending;
    const key = JSON.stringify([scheme.realm.url.href, scheme.service, scope]);
    const kept = account.tokens.get(key);
    const token = kept ?? (await abortable(this.#fetchToken(key, account, scheme, scope), signal));
    const answer = await sending.send(`Bearer ${token}`);
    if (answer.status === 401) account.tokens.reject(key, token);
    return { answer, conclusive: kept === undefined };
  }

  #fetchToken(key: string, account: Account, scheme: BearerScheme, scope: string): Promise<string> {
    return account.tokens.getOrFetch(key, async () => {
      const signal = AbortSignal.any([AbortSignal.timeout(TOKEN_TIMEOUT_MS), this.#closed.signal]);
      const send = this.#dependencies.sendTokenRequest(signal);
      const result = await account
        .attempt(scope, signal, async (credential) => {
          const { result, outcome } = await requestToken(scheme, scope, credential, send);
          const turnedAway = outcome === 'refused' ? 'yes' : outcome === 'forbidden' ? 'perhaps' : undefined;
          return { result, outcome, turnedAway };
        })
        .catch((error: unknown) => {
          throw signal.aborted
            ? new UpstreamError('unreachable', 'no token came in time', { cause: error })
            : error;
        });
      if (result instanceof UpstreamError) throw result;
      return result;
    });
  }

  async #sendBasic(account: Account, sending: Sending): Promise<Answer> {
    const { scope, signal, again } = sending;
    const attempt = account.attempt<Answer>(
      scope,
      signal,
      async (credential) => {
        signal.throwIfAborted();
        const authorization = basicAuthorization(requirePassword(credential));
        const answer = await sending.send(authorization);
        // Amazon ECR answers 403 to a password that has ended.
        const turnedAway = answer.status === 401 ? 'yes' : answer.status === 403 ? 'perhaps' : undefined;
        return {
          result: answer,
          outcome: basicOutcome(answer),
          turnedAway,
          proof: again && this.#proof(again, authorization),
        };
      },
      (answer) => answer.discard(),
    );
    return abortable(attempt, signal);
  }

  #proof(again: SendAgain, authorization: string): Proof {
    return async () => {
      const signal = AbortSignal.any([AbortSignal.timeout(PROOF_TIMEOUT_MS), this.#closed.signal]);
      try {
        const answer = await again(authorization, signal);
        answer.discard();
        const outcome = basicOutcome(answer);
        return outcome === 'undecided' ? undefined : outcome === 'accepted';
      } catch {
        return undefined;
      }
    };
  }
}

type Ended =
  | { readonly type: 'answer'; readonly answer: Answer }
  | { readonly type: 'error'; readonly error: UpstreamError };

function basicOutcome({ status }: Answer): Outcome {
  if (status === 401) return 'unauthorized';
  return status < 400 || status === 404 ? 'accepted' : 'undecided';
}
