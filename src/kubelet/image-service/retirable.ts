/** Something that is closed once it has been replaced and nobody uses it any longer. */
export class Retirable<T extends { close(): Promise<void> }> {
  readonly #value: T;
  #users = 0;
  #onUnused: (() => void) | undefined;

  constructor(value: T) {
    this.#value = value;
  }

  /** Keeps the value open for as long as the work takes. */
  async use<R>(work: (value: T) => Promise<R>): Promise<R> {
    this.#users += 1;
    try {
      return await work(this.#value);
    } finally {
      this.#users -= 1;
      if (this.#users === 0) this.#onUnused?.();
    }
  }

  /** Resolves when the last use has ended and the value is closed. */
  async retire(): Promise<void> {
    if (this.#users > 0) {
      await new Promise<void>((resolve) => {
        this.#onUnused = resolve;
      });
    }
    await this.#value.close();
  }
}
