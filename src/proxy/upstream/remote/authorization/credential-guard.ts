import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../../../core/index.ts';
import type { Credential } from '../../../../credentials/index.ts';
import type { Logger } from '../../../../telemetry/index.ts';
import { UpstreamError } from '../../errors.ts';

/**
 * What an attempt with the credential showed.
 *
 * - `accepted`: it is good
 * - `refused`: it is bad, the token server says so
 * - `unauthorized`: a resource says so, which some registries do where only that resource is forbidden
 * - `forbidden`: not for this resource; some token servers say so of a bad credential
 * - `undecided`: the answer says nothing about it
 */
export type Outcome = 'accepted' | 'refused' | 'unauthorized' | 'forbidden' | 'undecided';

/**
 * Asks again for the last resource that took the credential.
 * @returns whether it still does; undefined when that can't be told
 */
export type Proof = () => Promise<boolean | undefined>;

export interface Attempted<T> {
  readonly result: T;
  readonly outcome: Outcome;
  /** With `accepted`: how to see later whether this resource still takes the credential. */
  readonly proof?: Proof | undefined;
}

const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 300_000;
/** So many resources in a row that forbid themselves to an unproven credential mean that it is bad. */
const FORBIDDEN_LIMIT = 3;
const MAXIMUM_PAUSED_RESOURCES = 1024;

interface Pause {
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly lengthMs: number;
}

/**
 * Keeps a wrong credential from becoming a storm of logins and a locked account. Until it has been accepted once,
 * one attempt is made at a time; once refused, none at all for a while, which grows. A resource that turns away a
 * credential known to be good pauses that resource alone, once the last one that took it has been asked whether it
 * still does. Another credential begins anew.
 */
export class CredentialGuard {
  readonly #key = randomBytes(32);
  readonly #clock: Clock;
  readonly #log: Logger;
  #fingerprint = '';
  #proven = false;
  #forbidden = 0;
  #good: { readonly resource: string; readonly proof: Proof } | undefined;
  #proving: Promise<boolean | undefined> | undefined;
  #paused: Pause | undefined;
  #resources = new Map<string, Pause>();
  #turn: Promise<void> = Promise.resolve();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Makes an attempt with the credential.
   * @param resource what the attempt is for
   * @throws {UpstreamError} `refused`, without an attempt, during a pause
   */
  async attempt<T>(
    credential: Credential,
    resource: string,
    run: () => Promise<Attempted<T>>,
  ): Promise<Attempted<T>> {
    this.#meet(credential);
    this.#requireOpen(resource);
    if (this.#proven) return this.#run(resource, run);
    return this.#inTurn(() => {
      this.#requireOpen(resource);
      return this.#run(resource, run);
    });
  }

  /** Whether an attempt would be made. Another credential than the last one may be welcome all the same. */
  isOpen(resource: string): boolean {
    return !this.#runs(this.#paused) && !this.#runs(this.#resources.get(resource));
  }

  async #run<T>(resource: string, run: () => Promise<Attempted<T>>): Promise<Attempted<T>> {
    const fingerprint = this.#fingerprint;
    const attempted = await run();
    const { outcome, proof } = attempted;
    if (fingerprint !== this.#fingerprint) return attempted;
    const holds = outcome === 'unauthorized' ? await this.#prove(resource) : undefined;
    if (fingerprint !== this.#fingerprint) return attempted;
    if (holds === undefined) this.#note(resource, outcome, proof);
    else if (!holds) this.#pauseAll();
    else {
      this.#pauseResource(resource);
      // The resource's own no, and not the credential's fault: nobody need make a new one.
      return { ...attempted, outcome: 'forbidden' };
    }
    return attempted;
  }

  /** Asks the last resource that took the credential, once for all who doubt; unless it is the one in doubt. */
  async #prove(doubted: string): Promise<boolean | undefined> {
    if (this.#good?.resource === doubted) this.#good = undefined;
    const good = this.#good;
    if (!good) return undefined;
    this.#proving ??= good.proof().finally(() => {
      this.#proving = undefined;
    });
    return this.#proving;
  }

  #note(resource: string, outcome: Outcome, proof: Proof | undefined): void {
    switch (outcome) {
      case 'undecided':
        return;
      case 'accepted':
        this.#proven = true;
        this.#forbidden = 0;
        if (proof) this.#good = { resource, proof };
        this.#paused = undefined;
        this.#resources.delete(resource);
        return;
      case 'refused':
        this.#pauseAll();
        return;
      case 'unauthorized':
        if (this.#proven) this.#pauseResource(resource);
        else this.#pauseAll();
        this.#proven = false;
        return;
      case 'forbidden':
        this.#pauseResource(resource);
        if (!this.#proven && ++this.#forbidden >= FORBIDDEN_LIMIT) this.#pauseAll();
    }
  }

  #pauseAll(): void {
    this.#proven = false;
    if (this.#runs(this.#paused)) return;
    this.#paused = this.#longer(this.#paused);
    this.#log.warn(
      { pauseSeconds: this.#paused.lengthMs / 1000 },
      'the registry refuses our credential; nothing is sent with it until the pause is over or it changes',
    );
  }

  #pauseResource(resource: string): void {
    const before = this.#resources.get(resource);
    if (this.#runs(before)) return;
    this.#resources.delete(resource);
    this.#resources.set(resource, this.#longer(before));
    const [oldest] = this.#resources.keys();
    if (this.#resources.size > MAXIMUM_PAUSED_RESOURCES && oldest !== undefined)
      this.#resources.delete(oldest);
  }

  #longer(before: Pause | undefined): Pause {
    const lengthMs = before ? Math.min(LONGEST_PAUSE_MS, before.lengthMs * 2) : FIRST_PAUSE_MS;
    return { until: this.#clock.now() + lengthMs, lengthMs };
  }

  #runs(pause: Pause | undefined): boolean {
    return pause !== undefined && this.#clock.now() < pause.until;
  }

  #requireOpen(resource: string): void {
    if (!this.isOpen(resource)) {
      throw new UpstreamError(
        'refused',
        'the registry has refused our credential; no new attempt for a while',
      );
    }
  }

  #meet({ username, password }: Credential): void {
    const fingerprint = createHmac('sha256', this.#key)
      .update(`${username.length}:${username}:${password.reveal()}`)
      .digest('base64');
    if (fingerprint === this.#fingerprint) return;
    this.#fingerprint = fingerprint;
    this.#proven = false;
    this.#forbidden = 0;
    this.#good = undefined;
    this.#paused = undefined;
    this.#resources = new Map();
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run);
    this.#turn = result.then(
      () => {},
      () => {},
    );
    return result;
  }
}
