import type { Clock } from '../../../core/index.ts';
import { PROVIDER_TIMEOUT_MS } from '../../image-rules/index.ts';

/** However many credentials there are: kubelet waits meanwhile. */
const PULL_TIMEOUT_MS = 2 * PROVIDER_TIMEOUT_MS;

/** How long one pull goes on waiting for providers. What it waits for its attempts is the registry's time. */
export class Patience {
  readonly #clock: Clock;
  #leftMs = PULL_TIMEOUT_MS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isOver(): boolean {
    return this.#leftMs <= 0;
  }

  /** Runs a question with the time that it may take. */
  async spend<T>(ask: (timeoutMs: number) => Promise<T>): Promise<T> {
    const startedAt = this.#clock.now();
    try {
      return await ask(Math.max(0, Math.min(PROVIDER_TIMEOUT_MS, this.#leftMs)));
    } finally {
      this.#leftMs -= this.#clock.now() - startedAt;
    }
  }
}
