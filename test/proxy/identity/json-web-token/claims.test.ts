import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  claimAt,
  claimName,
  isPattern,
  matchesPattern,
  pickClaims,
  readToken,
} from '../../../../src/proxy/identity/json-web-token/index.ts';

describe('a pattern for texts', () => {
  it.each([
    ['spiffe://example.org/**', 'spiffe://example.org/ns/a', true],
    ['spiffe://example.org/**', 'spiffe://example.org', false],
    ['spiffe://example.org/*', 'spiffe://example.org/a', true],
    ['spiffe://example.org/*', 'spiffe://example.org/a/b', false],
    ['repo:acme/*:ref:refs/heads/main', 'repo:acme/app:ref:refs/heads/main', true],
    ['repo:acme/*:ref:refs/heads/main', 'repo:acme/app/x:ref:refs/heads/main', false],
    ['a*', 'a', true],
    ['*b', 'ab', true],
    ['a', 'A', false],
    ['a.c', 'abc', false],
    ['a', 'a\n', false],
    ['a*', 'a\n', true],
    ['', 'a', false],
  ])('%j and %j: %j', (pattern, text, expected) => {
    expect(matchesPattern(pattern, text)).toBe(expected);
  });

  const piece = fc.constantFrom('a', 'b', '/', '*', '**', '.');
  const pattern = fc
    .array(piece, { minLength: 1, maxLength: 8 })
    .map((pieces) => pieces.join(''))
    .filter(isPattern);

  it('means what a regular expression of the same parts means', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', '/', '.'), { maxLength: 10 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, text, (written, subject) => {
        const source = written.replace(/\*\*|\*|[/.]/g, (part) =>
          part === '**' ? '.*' : part === '*' ? '[^/]*' : `\\${part}`,
        );
        expect(matchesPattern(written, subject)).toBe(new RegExp(`^${source}$`, 's').test(subject));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes no longer for patterns that lead astray', () => {
    expect(matchesPattern('*a'.repeat(250), 'a'.repeat(2000))).toBe(true);
    expect(matchesPattern(`${'*a'.repeat(250)}b`, 'a'.repeat(2000))).toBe(false);
  });
});

describe('claims', () => {
  const json = fc
    .jsonValue()
    .filter((value) => value !== null && typeof value === 'object' && !Array.isArray(value));

  it('are found by their whole name before any dots are looked at', () => {
    const claims = { 'a.b': 1, a: { b: 2, 'c.d': 3 } };
    expect([claimAt(claims, 'a.b'), claimAt(claims, 'a.c.d'), claimAt(claims, 'a.x')]).toEqual([
      1,
      3,
      undefined,
    ]);
  });

  it('that are picked are those of the token, and nothing comes from a prototype', () => {
    fc.assert(
      fc.property(json, fc.array(fc.string()), (value, names) => {
        const claims = value as Record<string, unknown>;
        const all = [...names, ...Object.keys(claims), 'toString', 'constructor.name', '__proto__'];
        const picked = pickClaims(claims, all);
        for (const [name, found] of Object.entries(picked)) {
          if (Object.hasOwn(claims, name)) expect(found).toBe(claims[name]);
          expect(typeof found).not.toBe('function');
        }
        for (const name of Object.keys(claims)) {
          expect(Object.hasOwn(picked, name)).toBe(claims[name] !== null);
        }
        expect(Object.getPrototypeOf(picked)).toBe(Object.prototype);
      }),
    );
  });

  it.each(['__proto__', 'a.__proto__', 'constructor', ''])('are not named %j', (name) => {
    expect(claimName.safeParse(name).success).toBe(false);
  });
});

describe('a token that is taken apart', () => {
  const encode = (text: string | Buffer): string => Buffer.from(text).toString('base64url');

  it('is none for any text but the one spelling of a header, claims and a signature', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(readToken(text)).toBeUndefined();
      }),
    );
    expect(readToken(`${encode('{"a":1}')}.${encode('{}')}.AA`)).toEqual({ header: { a: 1 }, claims: {} });
    expect(readToken(`${encode('{"a":1}')}.${encode('{}')}.AB`)).toBeUndefined();
    expect(readToken(`${encode('{"a":1}')}.${encode('[]')}.AA`)).toBeUndefined();
    expect(
      readToken(`${encode('{"a":1}')}.${encode(Buffer.from('{"a":"\xff"}', 'latin1'))}.AA`),
    ).toBeUndefined();
  });
});
