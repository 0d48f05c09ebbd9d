/** Counts the requests under way, so that a shutdown can wait for them. */
export class RunningRequests {
  #count = 0;
  #draining = false;
  #idle: (() => void) | undefined;

  /** Once draining, new requests are turned away. */
  get draining(): boolean {
    return this.#draining;
  }

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#idle?.();
  }

  /** Takes no more requests; resolves when the last one has ended. */
  drain(): Promise<void> {
    this.#draining = true;
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }
}
