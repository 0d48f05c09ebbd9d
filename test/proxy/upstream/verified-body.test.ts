import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/index.ts';
import { UpstreamError } from '../../../src/proxy/upstream/index.ts';
import { verifiedBody } from '../../../src/proxy/upstream/verified-body.ts';

/** Gives every piece in the same memory, as a source that reuses its buffer does. */
async function* reusing(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  const memory = Buffer.alloc(Math.max(0, ...pieces.map((piece) => piece.length)));
  for (const piece of pieces) {
    memory.fill(0xee);
    memory.set(piece);
    yield memory.subarray(0, piece.length);
  }
  memory.fill(0xee);
}

async function drain(body: AsyncIterable<Uint8Array>): Promise<{ bytes: Buffer; error: unknown }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(Buffer.from(chunk));
    return { bytes: Buffer.concat(chunks), error: undefined };
  } catch (error) {
    return { bytes: Buffer.concat(chunks), error };
  }
}

const pieces = fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 });

describe.each(['known', 'unknown'] as const)('a body of %s size', (known) => {
  const size = (content: Uint8Array) => (known === 'known' ? content.length : undefined);

  test('comes through unchanged when its digest is right', async () => {
    await fc.assert(
      fc.asyncProperty(
        pieces,
        fc.constantFrom('sha256' as const, 'sha512' as const),
        async (list, algorithm) => {
          const content = Buffer.concat(list);
          const body = verifiedBody(reusing(list), digestOf(content, algorithm), size(content));
          expect(await drain(body)).toEqual({ bytes: content, error: undefined });
        },
      ),
    );
  });

  test('never comes through as a whole when a byte is wrong', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(), fc.integer({ min: 1, max: 255 }), async (list, at, flip) => {
        const content = Buffer.concat(list);
        fc.pre(content.length > 0);
        const digest = digestOf(content);
        let offset = at % content.length;
        const wrong = list.map((piece) =>
          Uint8Array.from(piece, (byte) => (offset-- === 0 ? byte ^ flip : byte)),
        );
        const { bytes, error } = await drain(verifiedBody(reusing(wrong), digest, size(content)));
        expect(error).toBeInstanceOf(UpstreamError);
        expect(error).toMatchObject({ kind: 'faulty' });
        expect(bytes.length).toBeLessThan(content.length);
      }),
    );
  });

  test.each([
    ['short', ['ab', 'c']],
    ['long', ['ab', 'cd', 'e']],
    ['long within one piece', ['abcde']],
    ['empty', []],
  ])('is faulty when it is %s', async (_name, list) => {
    const body = verifiedBody(
      reusing(list.map((text) => Buffer.from(text))),
      digestOf(Buffer.from('abcd')),
      known === 'known' ? 4 : undefined,
    );
    expect((await drain(body)).error).toMatchObject({ kind: 'faulty' });
  });

  test('frees its source when it is left early', async () => {
    let freed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from('abc');
      } finally {
        freed = true;
      }
    }
    for await (const _chunk of verifiedBody(
      source(),
      digestOf(Buffer.alloc(0)),
      known === 'known' ? 1e6 : undefined,
    ))
      break;
    expect(freed).toBe(true);
  });
});

test('an empty body with the wrong digest is faulty', async () => {
  const digest = digestOf(Buffer.from('something'));
  expect((await drain(verifiedBody(reusing([]), digest, 0))).error).toMatchObject({ kind: 'faulty' });
  expect((await drain(verifiedBody(reusing([]), digest, undefined))).error).toMatchObject({ kind: 'faulty' });
});
