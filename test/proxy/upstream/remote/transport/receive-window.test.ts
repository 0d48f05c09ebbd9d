import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  LARGE_BLOCK_BYTES,
  LargeBlocks,
} from '../../../../../src/proxy/upstream/remote/transport/bulk/large-blocks.ts';
import { ReceiveWindow } from '../../../../../src/proxy/upstream/remote/transport/bulk/receive-window.ts';

const MIB = 1024 * 1024;

/** Counts large blocks. */
class CountedBlocks extends LargeBlocks {
  taken = 0;
  override take(): Uint8Array | undefined {
    const block = super.take();
    if (block) this.taken += 1;
    return block;
  }
}

/** Plays a socket that writes numbered bytes, also after it was asked to pause, as TLS does. */
function createSocket(window: ReceiveWindow) {
  let sent = 0;
  return (count: number): number => {
    const target = window.target;
    const size = Math.min(count, target.length);
    for (let index = 0; index < size; index += 1) target[index] = (sent + index) % 251;
    sent += size;
    window.received(size);
    return size;
  };
}

function expectNumbered(piece: Uint8Array, from: number): void {
  const wrong = piece.findIndex((byte, index) => byte !== (from + index) % 251);
  expect(wrong, `byte ${from + wrong}`).toBe(-1);
}

describe('the receive window', () => {
  it('gives every byte once, in order, and leaves a piece alone until the next one', () => {
    const step = fc.oneof(
      fc.record({ receive: fc.integer({ min: 1, max: 70_000 }) }),
      fc.constant({ take: true as const }),
      fc.constant({ slow: true as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        let now = 0;
        const window = new ReceiveWindow(new LargeBlocks(), () => now);
        const receive = createSocket(window);
        window.expect(20 * MIB);
        let received = 0;
        let taken = 0;
        let held: { piece: Uint8Array; from: number } | undefined;
        for (const current of steps) {
          if ('receive' in current) received += receive(current.receive);
          else if ('slow' in current) now += 300;
          else {
            if (held) expectNumbered(held.piece, held.from);
            const piece = window.take();
            held = piece && { piece, from: taken };
            if (piece) expectNumbered(piece, taken);
            taken += piece?.length ?? 0;
          }
          expect(window.unread).toBe(received - taken);
          expect(window.target.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('gives what came into a block after a part of it was taken', () => {
    const window = new ReceiveWindow(new LargeBlocks(), () => 0);
    const receive = createSocket(window);
    let received = receive(5000);
    let taken = window.take()?.length ?? 0;
    received += receive(27_000);
    received += receive(10_000);
    while (window.unread > 0) {
      const piece = window.take() ?? new Uint8Array(0);
      expectNumbered(piece, taken);
      expect(piece.length).toBeGreaterThan(0);
      taken += piece.length;
      expect(window.unread).toBe(received - taken);
      if (received < 80_000) received += receive(10_000);
    }
    expect(taken).toBe(received);
  });

  it('asks for a pause while its reader is behind, and no longer when it is not', () => {
    const window = new ReceiveWindow(new LargeBlocks(), () => 0);
    const receive = createSocket(window);
    for (let reads = 0; window.hasRoom && reads < 100; reads += 1) receive(16_384);
    expect(window.unread).toBeLessThanOrEqual(64 * 1024);
    window.take();
    expect(window.hasRoom).toBe(true);
  });

  /** Lets a reader take `total` bytes, each MiB in so many milliseconds. */
  function stream(
    window: ReceiveWindow,
    total: number,
    advance: (bytes: number) => void,
    readBytes = LARGE_BLOCK_BYTES,
  ): number {
    let largest = 0;
    let reads = 0;
    for (let received = 0; received < total; ) {
      const count = Math.min(window.target.length, readBytes, total - received);
      window.received(count);
      received += count;
      advance(count);
      // Once in a while the reader is late, so that all blocks get into use.
      if (++reads % 8 === 0) continue;
      for (let piece = window.take(); piece; piece = window.take()) largest = Math.max(largest, piece.length);
    }
    return largest;
  }

  it.each([LARGE_BLOCK_BYTES, 300_000, 610_000])(
    'grows for a fast reader, and is small again at the end',
    (readBytes) => {
      let now = 0;
      const blocks = new CountedBlocks();
      const window = new ReceiveWindow(blocks, () => now);
      window.expect(20 * MIB);
      const advance = (bytes: number) => {
        now += (bytes / MIB) * 5;
      };
      const largest = stream(window, 20 * MIB, advance, readBytes);
      expect(largest).toBeGreaterThanOrEqual(readBytes);
      expect(blocks.taken).toBeGreaterThan(0);
      window.release();
      expect(window.atRest).toBe(true);
    },
  );

  it('stays small for a slow reader, and for a small body', () => {
    let now = 0;
    const blocks = new CountedBlocks();
    const slow = new ReceiveWindow(blocks, () => now);
    slow.expect(20 * MIB);
    stream(slow, 20 * MIB, (bytes) => {
      now += (bytes / MIB) * 100;
    });
    const short = new ReceiveWindow(blocks, () => 0);
    short.expect(MIB);
    stream(short, MIB, () => {});
    expect(blocks.taken).toBe(0);
  });

  it('shares a bounded number of large blocks with all others', () => {
    const blocks = new CountedBlocks();
    const windows = Array.from({ length: 100 }, () => new ReceiveWindow(blocks, () => 0));
    for (const window of windows) {
      window.expect(20 * MIB);
      stream(window, 8 * MIB, () => {});
    }
    expect(blocks.taken).toBe(32);
    for (const window of windows) window.dispose();
    expect(Array.from({ length: 50 }, () => blocks.take()).filter((block) => block).length).toBe(32);
  });

  it('never gives a block to another stream while its reader may still look at it', () => {
    const blocks = new LargeBlocks();
    const window = new ReceiveWindow(blocks, () => 0);
    window.expect(100 * MIB);
    stream(window, 20 * MIB, () => {});
    window.received(window.target.length);
    const piece = window.take();
    expect(piece?.length).toBeGreaterThan(64 * 1024);
    window.dispose();
    const reused = Array.from({ length: 32 }, () => blocks.take()?.buffer);
    expect(reused).not.toContain(piece?.buffer);
  });
});
