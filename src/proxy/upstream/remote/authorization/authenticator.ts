import type { Clock } from '../../../../core/index.ts';
import type { CredentialProvider } from '../../../../credentials/index.ts';
import type { Logger } from '../../../../telemetry/index.ts';
import { UpstreamError } from '../../errors.ts';
import { abortable } from '../abortable.ts';
import type { Answer } from '../transport/index.ts';
import { basicAuthorization } from './basic.ts';
import { CredentialAttempts } from './credential-attempts.ts';
import type { Outcome } from './credential-guard.ts';
import { chooseScheme, type Scheme, sameScheme } from './scheme.ts';
import type { BearerToken } from './token-answer.ts';
import { TokenCache } from './token-cache.ts';
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
}

/** Sends a request to the registry with this `Authorization`. */
export type Send = (authorization: string | undefined) => Promise<Answer>;

const MAXIMUM_ATTEMPTS = 3;
const TOKEN_TIMEOUT_MS = 60_000;

/**
 * Answers the registry's challenges. What worked is remembered, so that only the very first request is turned away
 * once; tokens are kept, and replaced once when the registry no longer takes them.
 */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #dependencies: AuthenticatorDependencies;
  readonly #tokens: TokenCache;
  readonly #attempts: CredentialAttempts;
  readonly #closed = new AbortController();
  #scheme: Scheme | undefined;

  constructor(options: AuthenticatorOptions, dependencies: AuthenticatorDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#tokens = new TokenCache(dependencies.clock);
    this.#attempts = new CredentialAttempts(options.registryName, this.#closed.signal, dependencies);
  }

  /**
   * @param scope what the request needs, such as `repository:team/app:pull`
   * @returns the registry's answer, whatever it is, except 401
   * @throws {UpstreamError} `refused`, `unsafe`, and what getting a token may reject with
   */
  async authorized(scope: string, signal: AbortSignal, send: Send): Promise<Answer> {
    let scheme = this.#scheme;
    for (let attempt = 1; ; attempt += 1) {
      const { answer, conclusive } = await this.#sendWith(scheme, scope, signal, send);
      if (answer.status !== 401) {
        this.#scheme = scheme ?? this.#scheme;
        return answer;
      }
      answer.discard();
      const offered = this.#offered(answer);
      const again = scheme && sameScheme(offered, scheme);
      if ((again && conclusive) || attempt === MAXIMUM_ATTEMPTS) {
        throw new UpstreamError('refused', `the registry does not let us at ${scope}`);
      }
      if (again) this.#dependencies.onRenewal();
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
    scope: string,
    signal: AbortSignal,
    send: Send,
  ): Promise<{ answer: Answer; conclusive: boolean }> {
    if (!scheme) return { answer: await send(undefined), conclusive: false };
    if (scheme.type === 'basic')
      return { answer: await this.#sendBasic(scope, signal, send), conclusive: true };
    const key = JSON.stringify([scheme.realm.url.href, scheme.service, scope]);
    const kept = this.#tokens.get(key);
    const token = kept ?? (await abortable(this.#fetchToken(key, scheme, scope), signal));
    const answer = await send(`Bearer ${token}`);
    if (answer.status === 401) this.#tokens.reject(key, token);
    return { answer, conclusive: kept === undefined };
  }

  #fetchToken(key: string, scheme: BearerScheme, scope: string): Promise<string> {
    return this.#tokens.getOrFetch(key, async () => {
      const signal = AbortSignal.any([AbortSignal.timeout(TOKEN_TIMEOUT_MS), this.#closed.signal]);
      const result = await this.#requestToken(scheme, scope, signal).catch((error: unknown) => {
        throw signal.aborted
          ? new UpstreamError('unreachable', 'no token came in time', { cause: error })
          : error;
      });
      if (result instanceof UpstreamError) throw result;
      return result;
    });
  }

  #requestToken(
    scheme: BearerScheme,
    scope: string,
    signal: AbortSignal,
  ): Promise<BearerToken | UpstreamError> {
    const send = this.#dependencies.sendTokenRequest(signal);
    return this.#attempts.make(scope, signal, async (credential) => {
      const { result, outcome } = await requestToken(scheme, scope, credential, send);
      const turnedAway = outcome === 'refused' ? 'yes' : outcome === 'forbidden' ? 'perhaps' : 'no';
      return { result, outcome, turnedAway };
    });
  }

  #sendBasic(scope: string, signal: AbortSignal, send: Send): Promise<Answer> {
    const attempt = this.#attempts.make(
      scope,
      signal,
      async (credential) => {
        if (!credential) {
          throw new UpstreamError(
            'refused',
            'the registry wants a user name, and no credential is configured',
          );
        }
        signal.throwIfAborted();
        const answer = await send(basicAuthorization(credential));
        // Amazon ECR answers 403 to a password that has ended.
        const turnedAway = answer.status === 401 ? 'yes' : answer.status === 403 ? 'perhaps' : 'no';
        return { result: answer, outcome: basicOutcome(answer), turnedAway };
      },
      (answer) => answer.discard(),
    );
    return abortable(attempt, signal);
  }
}

function basicOutcome({ status }: Answer): Outcome {
  if (status === 401) return 'unauthorized';
  return status < 400 || status === 404 ? 'accepted' : 'undecided';
}
