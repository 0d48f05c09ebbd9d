export const LARGE_BLOCK_BYTES = 1024 * 1024;

const MAXIMUM_IN_USE = 32;
const MAXIMUM_KEPT = 6;

/**
 * The large receive buffers of one upstream: enough for the streams that are fast, and a firm bound for all of
 * them together, however many there are.
 */
export class LargeBlocks {
  #free: Uint8Array[] = [];
  #inUse = 0;

  get available(): boolean {
    return this.#inUse < MAXIMUM_IN_USE;
  }

  /** @returns a block, or undefined when all are in use. */
  take(): Uint8Array | undefined {
    if (!this.available) return undefined;
    this.#inUse += 1;
    return this.#free.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(LARGE_BLOCK_BYTES).buffer);
  }

  /** Takes a block back that nobody reads any more. */
  give(block: Uint8Array): void {
    this.#inUse -= 1;
    if (this.#free.length < MAXIMUM_KEPT) this.#free.push(block);
  }

  /**
   * Gives up a block that somebody may still be reading, such as a write to a client that has not finished: it
   * must never be filled with another stream's bytes.
   */
  abandon(): void {
    this.#inUse -= 1;
  }
}
