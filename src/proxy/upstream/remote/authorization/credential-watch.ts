import type { Clock } from '../../../../core/index.ts';
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

/** What is known of one credential, and its attempts. */
export class CredentialWatch {
  readonly #clock: Clock;
  readonly #log: Logger;
  #proven = false;
  #forbidden = 0;
  #paused: Pause | undefined;
  readonly #resources = new Map<string, Pause>();
  #turn: Promise<void> = Promise.resolve();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** @throws {UpstreamError} `refused`, without an attempt, during a pause */
  async attempt<T>(
    resource: string,
    run: () => Promise<{ readonly result: T; readonly outcome: Outcome }>,
  ): Promise<T> {
    this.#requireOpen(resource);
    if (this.#proven) return this.#run(resource, run);
    return this.#inTurn(() => {
      this.#requireOpen(resource);
      return this.#run(resource, run);
    });
  }

  async #run<T>(
    resource: string,
    run: () => Promise<{ readonly result: T; readonly outcome: Outcome }>,
  ): Promise<T> {
    const { result, outcome } = await run();
    this.#note(resource, outcome);
    return result;
  }

  #note(resource: string, outcome: Outcome): void {
    switch (outcome) {
      case 'undecided':
        return;
      case 'accepted':
        this.#proven = true;
        this.#forbidden = 0;
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
    if (this.#runs(this.#paused) || this.#runs(this.#resources.get(resource))) {
      throw new UpstreamError(
        'refused',
        'the registry has refused our credential; no new attempt for a while',
      );
    }
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
