import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BodyTooLargeError,
  backoffDelayMs,
  FileReference,
  fingerprint,
  parseDurationMs,
  parseUrl,
  readBounded,
  Secret,
} from '../../src/core/index.ts';

describe('secret', () => {
  it('is shown by nothing but reveal', () => {
    const secret = new Secret('canary');
    for (const text of [
      String(secret),
      JSON.stringify({ secret }),
      inspect({ secret }, { showHidden: true }),
      `${secret}`,
    ]) {
      expect(text).not.toContain('canary');
    }
    expect(secret.reveal()).toBe('canary');
  });

  it('compares by value', () => {
    expect(new Secret('a').equals(new Secret('a'))).toBe(true);
    expect(new Secret('a').equals(new Secret('b'))).toBe(false);
    expect(new Secret('a').equals(new Secret('aa'))).toBe(false);
  });
});

describe('bounded read', () => {
  async function* chunks(sizes: readonly number[]) {
    for (const size of sizes) yield Buffer.alloc(size, 'x');
  }

  it('takes exactly the limit and not one byte more', async () => {
    expect((await readBounded(chunks([2, 3]), 5)).length).toBe(5);
    await expect(readBounded(chunks([2, 3, 1]), 5)).rejects.toThrow(BodyTooLargeError);
  });

  it('copies chunks, because their memory is used again', async () => {
    const memory = Buffer.alloc(1);
    async function* reused() {
      for (const letter of 'abc') {
        memory.write(letter);
        yield memory;
      }
    }
    expect((await readBounded(reused(), 10)).toString()).toBe('abc');
  });
});

describe('backoff', () => {
  it('stays between zero and the bound, which grows to the cap', () => {
    const options = { baseMs: 100, capMs: 1000 };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, random) => {
          const delay = backoffDelayMs(attempt, options, () => random);
          expect(delay).toBeGreaterThanOrEqual(0);
          expect(delay).toBeLessThanOrEqual(Math.min(1000, 100 * 2 ** (attempt - 1)));
        },
      ),
    );
  });
});

describe('duration', () => {
  it('reads a number and a unit', () => {
    expect(['250ms', '30s', '5m', '12h', '7d'].map(parseDurationMs)).toEqual([
      250, 30_000, 300_000, 43_200_000, 604_800_000,
    ]);
    for (const text of ['', '5', 's', '1.5s', '-1s', '5 s', '5S', '1w'])
      expect(parseDurationMs(text), text).toBeUndefined();
  });
});

describe('fingerprint', () => {
  function loaded(contents: string) {
    const file = new FileReference('f');
    file.resolve('/f', Buffer.from(contents));
    return file;
  }

  it('sees secrets and the contents of files, and not the order of keys', () => {
    expect(fingerprint({ a: 1, b: [2] })).toBe(fingerprint({ b: [2], a: 1 }));
    expect(fingerprint({ a: new Secret('x') })).not.toBe(fingerprint({ a: new Secret('y') }));
    expect(fingerprint({ a: loaded('x') })).not.toBe(fingerprint({ a: loaded('y') }));
    expect(fingerprint({ a: loaded('x') })).toBe(fingerprint({ a: loaded('x') }));
    expect(fingerprint({ a: undefined })).not.toBe(fingerprint({ a: null }));
    expect(fingerprint(['a', 'b'])).not.toBe(fingerprint(['ab']));
  });

  it('differs for different JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        const same = fingerprint(one) === fingerprint(other);
        const sort = (_: string, v: unknown) =>
          v && typeof v === 'object' && !Array.isArray(v)
            ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
            : v;
        expect(same).toBe(JSON.stringify(one, sort) === JSON.stringify(other, sort));
      }),
    );
  });
});

describe('url', () => {
  it('gives undefined in place of an exception', () => {
    expect(parseUrl('nonsense')).toBeUndefined();
    expect(parseUrl('/a', 'https://b')?.href).toBe('https://b/a');
  });
});
