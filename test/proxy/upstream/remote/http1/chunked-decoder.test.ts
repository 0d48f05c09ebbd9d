import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../../../src/proxy/upstream/index.ts';
import { ChunkedDecoder } from '../../../../../src/proxy/upstream/remote/http1/index.ts';

function decode(bytes: Buffer, sizes: readonly number[]) {
  const decoder = new ChunkedDecoder();
  const parts: Buffer[] = [];
  for (let position = 0, index = 0; position < bytes.length; index += 1) {
    const size = Math.max(1, sizes[index % sizes.length] ?? 1);
    for (const part of decoder.decode(bytes.subarray(position, position + size)))
      parts.push(Buffer.from(part));
    position += size;
  }
  return { done: decoder.done, data: Buffer.concat(parts) };
}

function encode(chunks: readonly Uint8Array[], extension = '', trailers = ''): Buffer {
  const framed = chunks.flatMap((chunk) => [
    Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`),
    chunk,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...framed, Buffer.from(`0${extension}\r\n${trailers}\r\n`)]);
}

const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 });

describe('a chunked body', () => {
  it('is the same however it was cut, and however its bytes arrive', () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 10 });
    const extension = fc.constantFrom('', ';a=b', ' ; name="v"');
    const trailers = fc.constantFrom('', 'A: b\r\n', 'A: b\r\nC: d\r\n');
    fc.assert(
      fc.property(chunks, extension, trailers, sizes, (all, ext, trailer, pieces) => {
        const { done, data } = decode(encode(all, ext, trailer), pieces);
        expect(done).toBe(true);
        expect(data.equals(Buffer.concat(all))).toBe(true);
      }),
    );
  });

  it('that is cut short is never done', () => {
    const whole = encode([Buffer.from('hello'), Buffer.from('world')], ';x', 'A: b\r\n');
    for (let length = 0; length < whole.length; length += 1) {
      expect(decode(whole.subarray(0, length), [3]).done).toBe(false);
    }
  });

  it('is decoded or faulty, whatever comes', () => {
    const letters = fc.constantFrom('0', '5', 'a', 'F', ';', '\r\n', '\r', '\n', ' ', '\0', 'hello');
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 40 }), sizes, (all, pieces) => {
        const bytes = Buffer.from(all.join(''), 'latin1');
        try {
          expect(decode(bytes, pieces).data.length).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(UpstreamError);
        }
      }),
    );
  });

  it.each([
    ['no size', '\r\nhello'],
    ['a negative size', '-5\r\nhello\r\n'],
    ['a size with a sign', '+5\r\nhello\r\n'],
    ['a size beyond all measure', 'fffffffffffff\r\nhello'],
    ['a bare LF after the size', '5\nhello\r\n'],
    ['a bare CR in the size line', '5\rx\nhello\r\n'],
    ['a chunk longer than it said', '5\r\nhello!\r\n'],
    ['a chunk that ends with LF', '5\r\nhello\n0\r\n\r\n'],
    ['a bare LF in its trailers', '0\r\nA: b\n\r\n\r\n'],
    ['an endless extension', `5;${'x'.repeat(300)}`],
    ['endless trailers', `0\r\n${'A: b\r\n'.repeat(3000)}`],
    ['something behind its end', '0\r\n\r\nHTTP/1.1 200 OK'],
  ])('with %s is faulty', (_what, text) => {
    expect(() => decode(Buffer.from(text, 'latin1'), [1000])).toThrow(UpstreamError);
    expect(() => decode(Buffer.from(text, 'latin1'), [1])).toThrow(UpstreamError);
  });
});
