import { LARGE_BLOCK_BYTES, type LargeBlocks } from './large-blocks.ts';
import { Pace } from './pace.ts';

const SMALL_BLOCK_BYTES = 32 * 1024;
/** Not worth a read of its own. */
const MINIMUM_READ_BYTES = 8 * 1024;
/** One that the reader has, one that waits for it, one that is read into. */
const USUAL_BLOCKS = 3;

class Block {
  /** End of what was read into it. */
  filled = 0;
  /** End of what the reader has been given. */
  taken = 0;

  constructor(readonly bytes: Uint8Array) {}

  get large(): boolean {
    return this.bytes.length === LARGE_BLOCK_BYTES;
  }
}

/**
 * The buffers between a socket and the reader of its bytes. A few blocks go round: nothing is allocated or copied
 * by the chunk. Blocks start small, and become large only for a reader that is fast and has much to come.
 *
 * The socket is always given room, even after it was told to pause: TLS delivers what it has already decrypted.
 */
export class ReceiveWindow {
  readonly #large: LargeBlocks;
  readonly #pace: Pace;
  #current = new Block(new Uint8Array(SMALL_BLOCK_BYTES));
  #waiting: Block[] = [];
  #held: Block | undefined;
  #spare: Block[] = [];
  #blocks = 1;
  #unread = 0;
  #expected = 0;

  constructor(large: LargeBlocks, now: () => number) {
    this.#large = large;
    this.#pace = new Pace(now);
  }

  /** Where the next bytes go. */
  get target(): Uint8Array {
    return this.#current.bytes.subarray(this.#current.filled);
  }

  /** Bytes that nobody has taken. */
  get unread(): number {
    return this.#unread;
  }

  /** Whether the socket should go on reading. */
  get hasRoom(): boolean {
    return this.#unread < this.#current.bytes.length / 2;
  }

  /** Says how many bytes are still to come besides those that are here; decides about large blocks. */
  expect(bytes: number): void {
    this.#expected = bytes;
    this.#pace.restart();
  }

  /** The socket has put `count` bytes into {@link target}. */
  received(count: number): void {
    const block = this.#current;
    block.filled += count;
    this.#unread += count;
    this.#expected -= count;
    if (this.#waiting.at(-1) !== block) this.#waiting.push(block);
    this.#chooseTarget();
  }

  /** @returns the next bytes. The piece before is given up with this call. */
  take(): Uint8Array | undefined {
    this.#releaseHeld();
    const block = this.#waiting.shift();
    if (!block) return undefined;
    const piece = block.bytes.subarray(block.taken, block.filled);
    block.taken = block.filled;
    this.#held = block;
    this.#unread -= piece.length;
    this.#pace.took(piece.length);
    return piece;
  }

  /** Gives up the piece that was taken last. */
  release(): void {
    this.#releaseHeld();
  }

  /** Whether it holds no more than one small block: what an idle connection may cost. */
  get atRest(): boolean {
    return this.#unread === 0 && this.#held === undefined && !this.#current.large;
  }

  /** The socket is gone. What the reader may still use is never given to anybody else. */
  dispose(): void {
    for (const block of this.#spare) this.#letGo(block);
    this.#spare = [];
    for (const block of new Set([this.#current, ...this.#waiting, ...(this.#held ? [this.#held] : [])])) {
      if (block.large) this.#large.abandon();
    }
    this.#waiting = [];
    this.#held = undefined;
    this.#unread = 0;
    this.#current = new Block(new Uint8Array(0));
  }

  get #wantsLarge(): boolean {
    return this.#pace.fast && this.#expected > LARGE_BLOCK_BYTES;
  }

  #chooseTarget(): void {
    const { bytes, filled, large } = this.#current;
    const room = bytes.length - filled;
    const ended = large && this.#expected <= 0;
    if (room >= bytes.length / 2 && !ended) return;
    const spare = ended ? undefined : this.#spare.pop();
    if (spare) this.#current = spare;
    else if (room < MINIMUM_READ_BYTES || ended || this.#blocks < USUAL_BLOCKS)
      this.#current = this.#allocate();
  }

  #allocate(): Block {
    this.#blocks += 1;
    return new Block((this.#wantsLarge && this.#large.take()) || new Uint8Array(SMALL_BLOCK_BYTES));
  }

  #releaseHeld(): void {
    const block = this.#held;
    this.#held = undefined;
    if (!block || block === this.#current || block.taken < block.filled) return;
    block.filled = 0;
    block.taken = 0;
    const fits = block.large === this.#wantsLarge || (!block.large && !this.#large.available);
    if (fits && this.#blocks <= USUAL_BLOCKS) this.#spare.push(block);
    else this.#letGo(block);
  }

  #letGo(block: Block): void {
    this.#blocks -= 1;
    if (block.large) this.#large.give(block.bytes);
  }
}
