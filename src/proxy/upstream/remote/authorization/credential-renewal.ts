import type { Clock } from '../../../../core/index.ts';
import type { Credential, CredentialProvider } from '../../../../credentials/index.ts';

const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 600_000;
/** A credential that was good for so long may have ended; before, a "forbidden" is about what was asked for. */
const OLD_MS = 5 * 60_000;

/** Asks the provider for the credential; rejects when it can't be had now. */
export type AskForCredential = () => Promise<Credential | undefined>;

interface Renewal {
  readonly from: Credential;
  readonly to: Promise<Credential | undefined>;
}

/**
 * Gets another credential for one that the registry turned away. However many were turned away with it, it is replaced
 * once; and when the new one is no better, not again for a while, which grows. Providers that can only repeat themselves
 * are asked whether they have another one by now.
 */
export class CredentialRenewal {
  readonly #provider: Pick<CredentialProvider, 'discard'>;
  readonly #clock: Pick<Clock, 'now'>;
  #latest: Renewal | undefined;
  #allowedFrom = Number.NEGATIVE_INFINITY;
  #pauseMs = FIRST_PAUSE_MS;
  readonly #metAt = new WeakMap<Credential, number>();

  constructor(provider: Pick<CredentialProvider, 'discard'>, clock: Pick<Clock, 'now'>) {
    this.#provider = provider;
    this.#clock = clock;
  }

  /** The credential is about to be shown. */
  meet(credential: Credential): void {
    if (!this.#metAt.has(credential)) this.#metAt.set(credential, this.#clock.now());
  }

  /** The credential was accepted. */
  accepted(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  /** Whether the credential is old enough to have ended without anybody telling. */
  mayHaveEnded(credential: Credential): boolean {
    const metAt = this.#metAt.get(credential);
    return metAt !== undefined && this.#clock.now() - metAt >= OLD_MS;
  }

  /**
   * @param refused what the registry turned away
   * @returns another credential; undefined when there is none
   */
  async renew(refused: Credential, ask: AskForCredential): Promise<Credential | undefined> {
    const latest = this.#latest;
    if (latest && isSame(latest.from, refused)) return latest.to;
    const renewal: Renewal = { from: refused, to: this.#replace(refused, ask) };
    this.#latest = renewal;
    const forget = (): void => {
      if (this.#latest === renewal) this.#latest = undefined;
    };
    renewal.to.then((credential) => {
      if (!credential) forget();
    }, forget);
    return renewal.to;
  }

  async #replace(refused: Credential, ask: AskForCredential): Promise<Credential | undefined> {
    const current = other(await ask(), refused);
    if (current || !this.#provider.discard) return current;
    const now = this.#clock.now();
    if (now < this.#allowedFrom) return undefined;
    this.#allowedFrom = now + this.#pauseMs;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    this.#provider.discard(refused);
    return other(await ask(), refused);
  }
}

function other(credential: Credential | undefined, refused: Credential): Credential | undefined {
  return credential && !isSame(credential, refused) ? credential : undefined;
}

function isSame(one: Credential, another: Credential): boolean {
  return one.username === another.username && one.password.equals(another.password);
}
