import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../../../src/proxy/upstream/index.ts';
import { ResponseHeadParser } from '../../../../../src/proxy/upstream/remote/http1/index.ts';

const HEAD =
  'HTTP/1.1 206 Partial Content\r\nContent-Length: 12\r\nX-Empty:\r\nLink:  <a>\t\r\nlink: <b>\r\n\r\n';
const BODY = 'hello, body\r\n\r\n';

/** Gives the bytes in pieces, as reads would. */
function parse(bytes: Buffer, sizes: readonly number[]) {
  const parser = new ResponseHeadParser();
  let position = 0;
  for (let index = 0; position < bytes.length; index += 1) {
    const piece = bytes.subarray(position, position + Math.max(1, sizes[index % sizes.length] ?? 1));
    const found = parser.push(piece);
    if (found) return { head: found.head, bodyAt: position + found.consumed };
    position += piece.length;
  }
  return undefined;
}

describe('a response head', () => {
  it('is the same however its bytes arrive', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(sizes, (pieces) => {
        const found = parse(Buffer.from(HEAD + BODY), pieces);
        expect(found?.bodyAt).toBe(HEAD.length);
        expect(found?.head.status).toBe(206);
        expect([...(found?.head.headers ?? [])]).toEqual([
          ['content-length', ['12']],
          ['x-empty', ['']],
          ['link', ['<a>', '<b>']],
        ]);
      }),
    );
  });

  it('is a head, not yet complete, or faulty, whatever comes', () => {
    const letters = fc.constantFrom(
      'HTTP/1.1 200 ',
      'a',
      ':',
      ' ',
      '\r\n',
      '\r',
      '\n',
      '\t',
      '\0',
      '\x80',
      '12',
    );
    const text = fc.oneof(
      fc.array(letters, { maxLength: 60 }).map((all) => `HTTP/1.1 200 OK\r\n${all.join('')}`),
      fc.string(),
    );
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 9 }), (garbage, size) => {
        try {
          const found = parse(Buffer.from(garbage, 'latin1'), [size]);
          for (const name of found?.head.headers.keys() ?? []) expect(name).toMatch(/^[^\s:]+$/);
        } catch (error) {
          expect(error).toBeInstanceOf(UpstreamError);
        }
      }),
    );
  });

  it.each([
    ['another protocol', 'SSH-2.0-x\r\n\r\n'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20\r\n\r\n'],
    ['a status of 600', 'HTTP/1.1 600 X\r\n\r\n'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\n'],
    ['a line without a colon', 'HTTP/1.1 200 OK\r\nnothing\r\n\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\nA: b\r\n\r\n'],
    ['a bare CR', 'HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n'],
    ['a NUL', 'HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n'],
    ['no name', 'HTTP/1.1 200 OK\r\n: b\r\n\r\n'],
  ])('with %s is faulty', (_what, text) => {
    expect(() => parse(Buffer.from(text, 'latin1'), [1000])).toThrow(UpstreamError);
  });

  it('is faulty above its size limit, before its end has come', () => {
    const endless = Buffer.from(`HTTP/1.1 200 OK\r\nA: ${'b'.repeat(70_000)}`);
    expect(() => parse(endless, [4096])).toThrow(UpstreamError);
    expect(() => parse(endless, [100_000])).toThrow(UpstreamError);
  });
});
