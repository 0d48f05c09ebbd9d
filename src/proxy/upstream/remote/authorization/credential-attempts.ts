import type { Clock } from '../../../../core/index.ts';
import type { Credential, CredentialProvider } from '../../../../credentials/index.ts';
import type { Logger } from '../../../../telemetry/index.ts';
import { UpstreamError } from '../../errors.ts';
import { abortable } from '../abortable.ts';
import { CredentialGuard } from './credential-guard.ts';
import { CredentialRenewal } from './credential-renewal.ts';
import type { Attempt } from './credential-watch.ts';

export interface CredentialAttemptsDependencies {
  /** Gets the credential that is to be shown. @throws {UpstreamError} when there should be one and it can't be had now */
  readonly ask: (signal: AbortSignal) => Promise<Credential | undefined>;
  /** Is told of credentials that were turned away. */
  readonly provider: Pick<CredentialProvider, 'discard'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted when the upstream is closed. */
  readonly closed: AbortSignal;
  /** A credential that should have held was turned away and has been replaced. */
  readonly onRenewal: () => void;
}

const CREDENTIAL_TIMEOUT_MS = 60_000;

type Run<T> = (credential: Credential | undefined) => Promise<Attempt<T>>;

/** Shows the provider's credential; one that is turned away is replaced once, if the provider has another. */
export class CredentialAttempts {
  readonly #dependencies: CredentialAttemptsDependencies;
  readonly #guard: CredentialGuard;
  readonly #renewal: CredentialRenewal;

  constructor(dependencies: CredentialAttemptsDependencies) {
    const { provider, clock, log } = dependencies;
    this.#dependencies = dependencies;
    this.#guard = new CredentialGuard(clock, log);
    this.#renewal = new CredentialRenewal(provider, clock);
  }

  /** Whether an attempt with the last credential would be made. */
  isOpen(resource: string): boolean {
    return this.#guard.isOpen(resource);
  }

  /**
   * @param resource what the attempt is for
   * @param abandon called with a result in whose place a second attempt is made
   * @throws {UpstreamError} `refused` during a pause of the credential, `unreachable` without one; what `run` throws
   */
  async make<T>(
    resource: string,
    signal: AbortSignal,
    run: Run<T>,
    abandon: (result: T) => void = () => {},
  ): Promise<T> {
    const credential = await this.#dependencies.ask(signal);
    if (!credential) return (await run(undefined)).result;
    const first = await this.#attempt(credential, resource, run);
    if (!this.#isTurnedAway(first, credential)) return unwrap(first);
    const abandonFirst = () => {
      if (!(first instanceof UpstreamError)) abandon(first.result);
    };
    const renewed = await abortable(this.#renew(credential), signal).catch((error: unknown) => {
      abandonFirst();
      throw error;
    });
    if (!renewed) return unwrap(first);
    abandonFirst();
    this.#dependencies.onRenewal();
    return unwrap(await this.#attempt(renewed, resource, run));
  }

  /** @returns the guard's refusal as a value: another credential may still do */
  async #attempt<T>(
    credential: Credential,
    resource: string,
    run: Run<T>,
  ): Promise<Attempt<T> | UpstreamError> {
    this.#renewal.meet(credential);
    try {
      const attempt = await this.#guard.attempt(credential, resource, () => run(credential));
      if (attempt.outcome === 'accepted') this.#renewal.accepted();
      return attempt;
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'refused') return error;
      throw error;
    }
  }

  #isTurnedAway<T>(attempt: Attempt<T> | UpstreamError, credential: Credential): boolean {
    if (attempt instanceof UpstreamError || attempt.turnedAway === 'yes') return true;
    return attempt.turnedAway === 'perhaps' && this.#renewal.mayHaveEnded(credential);
  }

  #renew(refused: Credential): Promise<Credential | undefined> {
    const { ask, closed } = this.#dependencies;
    const signal = AbortSignal.any([AbortSignal.timeout(CREDENTIAL_TIMEOUT_MS), closed]);
    return this.#renewal.renew(refused, () => ask(signal));
  }
}

function unwrap<T>(attempt: Attempt<T> | UpstreamError): T {
  if (attempt instanceof UpstreamError) throw attempt;
  return attempt.result;
}
