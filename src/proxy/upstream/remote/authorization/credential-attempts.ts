import type { Clock } from '../../../../core/index.ts';
import type { Credential, CredentialProvider } from '../../../../credentials/index.ts';
import type { Logger } from '../../../../telemetry/index.ts';
import { UpstreamError } from '../../errors.ts';
import { abortable } from '../abortable.ts';
import { CredentialGuard, type Outcome } from './credential-guard.ts';
import { CredentialRenewal } from './credential-renewal.ts';

/** What came of showing a credential to the registry. */
export interface Attempt<T> {
  readonly result: T;
  readonly outcome: Outcome;
  /** Whether the credential itself was turned away; `perhaps` for an answer that may only be about what was asked for. */
  readonly turnedAway: 'no' | 'perhaps' | 'yes';
}

export interface CredentialAttemptsDependencies {
  readonly credentials: CredentialProvider;
  readonly clock: Clock;
  readonly log: Logger;
  /** A credential that should have held was turned away and has been replaced. */
  readonly onRenewal: () => void;
}

const CREDENTIAL_TIMEOUT_MS = 60_000;

type Run<T> = (credential: Credential | undefined) => Promise<Attempt<T>>;

/** Shows the provider's credential; one that is turned away is replaced once, if the provider has another. */
export class CredentialAttempts {
  readonly #registryName: string;
  readonly #dependencies: CredentialAttemptsDependencies;
  readonly #guard: CredentialGuard;
  readonly #renewal: CredentialRenewal;
  readonly #closed: AbortSignal;

  /** @param registryName `host[:port]` as in the configuration, for the provider */
  constructor(registryName: string, closed: AbortSignal, dependencies: CredentialAttemptsDependencies) {
    const { credentials, clock, log } = dependencies;
    this.#registryName = registryName;
    this.#dependencies = dependencies;
    this.#guard = new CredentialGuard(clock, log);
    this.#renewal = new CredentialRenewal(credentials, clock);
    this.#closed = closed;
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
    const credential = await this.#ask(signal);
    if (!credential) return (await run(undefined)).result;
    const first = await this.#attempt(credential, resource, run);
    if (!this.#isTurnedAway(first, credential)) return unwrap(first);
    const renewed = await abortable(this.#renew(credential), signal);
    if (!renewed) return unwrap(first);
    if (!(first instanceof UpstreamError)) abandon(first.result);
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
    let attempt: Attempt<T> | undefined;
    try {
      attempt = await this.#guard.attempt(credential, resource, async () => {
        const made = await run(credential);
        return { result: made, outcome: made.outcome };
      });
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'refused') return error;
      throw error;
    }
    if (attempt.outcome === 'accepted') this.#renewal.accepted();
    return attempt;
  }

  #isTurnedAway<T>(attempt: Attempt<T> | UpstreamError, credential: Credential): boolean {
    if (attempt instanceof UpstreamError || attempt.turnedAway === 'yes') return true;
    return attempt.turnedAway === 'perhaps' && this.#renewal.mayHaveEnded(credential);
  }

  #renew(refused: Credential): Promise<Credential | undefined> {
    const signal = AbortSignal.any([AbortSignal.timeout(CREDENTIAL_TIMEOUT_MS), this.#closed]);
    return this.#renewal.renew(refused, () => this.#ask(signal));
  }

  async #ask(signal: AbortSignal): Promise<Credential | undefined> {
    try {
      return await this.#dependencies.credentials.credential({ registry: this.#registryName, signal });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw new UpstreamError('unreachable', 'the credential for the registry cannot be had now', {
        cause: error,
      });
    }
  }
}

function unwrap<T>(attempt: Attempt<T> | UpstreamError): T {
  if (attempt instanceof UpstreamError) throw attempt;
  return attempt.result;
}
