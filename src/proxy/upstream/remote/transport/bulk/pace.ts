const MARK_BYTES = 1024 * 1024;
const FAST_MS_PER_MARK = 40;
const SLOW_MS_PER_MARK = 250;

/** Tells a reader that large buffers help from one that would only hold them. */
export class Pace {
  #fast = false;
  #bytes = 0;
  #markedAt: number;
  readonly #now: () => number;

  /** @param now milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#markedAt = now();
  }

  /** At least about 25 MB/s lately; what lies between fast and slow changes nothing. */
  get fast(): boolean {
    return this.#fast;
  }

  restart(): void {
    this.#fast = false;
    this.#bytes = 0;
    this.#markedAt = this.#now();
  }

  /** Called with each piece that the reader takes. */
  took(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < MARK_BYTES) return;
    const now = this.#now();
    const milliseconds = ((now - this.#markedAt) * MARK_BYTES) / this.#bytes;
    if (milliseconds <= FAST_MS_PER_MARK) this.#fast = true;
    else if (milliseconds >= SLOW_MS_PER_MARK) this.#fast = false;
    this.#bytes = 0;
    this.#markedAt = now;
  }
}
