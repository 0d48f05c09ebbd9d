import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../../core/index.ts';
import type { Credential } from '../../../../credentials/index.ts';
import type { Logger } from '../../../../telemetry/index.ts';
import { CredentialWatch, type Outcome } from './credential-watch.ts';

export type { Outcome } from './credential-watch.ts';

/** More than are in use at a time, also where a provider has several. */
const MAXIMUM_CREDENTIALS = 64;

/**
 * Keeps a wrong credential from becoming a storm of logins and a locked account. Until it has been accepted once,
 * one attempt is made at a time; once refused, none at all for a while, which grows. A resource that turns away a
 * credential known to be good pauses that resource alone. Another credential begins anew.
 */
export class CredentialGuard {
  readonly #key = randomBytes(32);
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #watches = new LRUCache<string, CredentialWatch>({ max: MAXIMUM_CREDENTIALS });

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Makes an attempt with the credential.
   * @param resource what the attempt is for
   * @throws {UpstreamError} `refused`, without an attempt, during a pause
   */
  attempt<T>(
    credential: Credential,
    resource: string,
    run: () => Promise<{ readonly result: T; readonly outcome: Outcome }>,
  ): Promise<T> {
    return this.#watchOf(credential).attempt(resource, run);
  }

  #watchOf({ username, password }: Credential): CredentialWatch {
    const fingerprint = createHmac('sha256', this.#key)
      .update(`${username.length}:${username}:${password.reveal()}`)
      .digest('base64');
    const known = this.#watches.get(fingerprint);
    if (known) return known;
    const watch = new CredentialWatch(this.#clock, this.#log);
    this.#watches.set(fingerprint, watch);
    return watch;
  }
}
