import { hashSync } from '@node-rs/bcrypt';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HtpasswdError, parseHtpasswd } from '../../../src/proxy/identity/index.ts';

const HASH = hashSync('secret', { cost: 4, version: '2y' });

function problem(text: string): HtpasswdError {
  try {
    parseHtpasswd(text);
  } catch (error) {
    if (error instanceof HtpasswdError) return error;
    throw error;
  }
  throw new Error('the text was accepted');
}

describe('parseHtpasswd', () => {
  it('reads users, comments, empty lines and any line ends', () => {
    const users = parseHtpasswd(`\uFEFF# staff\r\nalice:${HASH}\r\n\n  \nbob smith:${HASH} \n`);
    expect([...users]).toEqual([
      ['alice', HASH],
      ['bob smith', HASH],
    ]);
    expect(parseHtpasswd('').size).toBe(0);
  });

  it.each(['2a', '2b', '2y'] as const)('takes $%s$', (version) => {
    expect(parseHtpasswd(`a:${hashSync('x', { cost: 4, version })}`).size).toBe(1);
  });

  it.each([
    ['no colon', 'alice', /expected user:hash/],
    ['no user', `:${HASH}`, /user name/],
    ['a control character', `a\tb:${HASH}`, /control/],
    ['a long user name', `${'a'.repeat(257)}:${HASH}`, /256/],
    ['a user twice', `alice:${HASH}`, /alice stands in an earlier line/],
    ['plain text', 'bob:canary', /not bcrypt/],
    ['MD5', 'bob:$apr1$canary$7i8kqOQWkJYXcanaryXXX/', /not bcrypt/],
    ['SHA-1', 'bob:{SHA}canaryW6h9BhC0iOCGQ1cx7rOZ0=', /not bcrypt/],
    ['SHA-512', 'bob:$6$canary$abc', /not bcrypt/],
    ['a hash cut short', `bob:${HASH.slice(0, -1)}`, /not bcrypt/],
    ['something behind the hash', `bob:${HASH}:1000`, /not bcrypt/],
    ['another bcrypt', `bob:${HASH.replace('$2y$', '$2x$')}`, /not bcrypt/],
    ['a cost that takes hours', `bob:${HASH.replace('$04$', '$31$')}`, /cost 31/],
    ['a cost that is too low', `bob:${HASH.replace('$04$', '$03$')}`, /cost 3;/],
    ['no hash', 'bob:', /not bcrypt/],
  ])('refuses %s, names the line and keeps the hash to itself', (_, line, message) => {
    const error = problem(`alice:${HASH}\n\n${line}\n`);
    expect(error.line).toBe(3);
    expect(error.message).toMatch(/^line 3: /);
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/canary/);
    expect(error.message).not.toContain(HASH.slice(7, 20));
  });

  it('reads or refuses any text with an error of its own', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        try {
          parseHtpasswd(text);
        } catch (error) {
          expect(error).toBeInstanceOf(HtpasswdError);
        }
      }),
    );
  });
});
