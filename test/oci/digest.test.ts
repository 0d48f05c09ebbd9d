import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DigestCheck, digestAlgorithm, digestHex, digestOf, parseDigest } from '../../src/oci/index.ts';

describe('digest', () => {
  it('takes sha256 and sha512 of the right length in lower case, and nothing else', () => {
    const hex = 'a'.repeat(64);
    expect(parseDigest(`sha256:${hex}`)).toBe(`sha256:${hex}`);
    expect(parseDigest(`sha512:${hex}${hex}`)).toBe(`sha512:${hex}${hex}`);
    for (const text of [
      hex,
      'sha256:',
      `sha256:${hex}a`,
      `sha256:${hex.slice(1)}`,
      `sha256:${hex.toUpperCase()}`,
      `sha512:${hex}`,
      `md5:${'a'.repeat(32)}`,
      `sha256:../../${'a'.repeat(58)}`,
      `sha256:${hex}\n`,
      ` sha256:${hex}`,
      '__proto__:a',
      'sha256:%2e',
    ]) {
      expect(parseDigest(text), text).toBeUndefined();
    }
  });

  it('knows its own bytes again, and no others', () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.constantFrom('sha256' as const, 'sha512' as const),
        (bytes, algorithm) => {
          const digest = digestOf(bytes, algorithm);
          expect(parseDigest(digest)).toBe(digest);
          expect(digestAlgorithm(digest)).toBe(algorithm);
          expect(digest).toBe(`${algorithm}:${digestHex(digest)}`);
          const right = new DigestCheck(digest);
          right.update(bytes);
          expect(right.matches()).toBe(true);
          const wrong = new DigestCheck(digest);
          wrong.update(new Uint8Array([...bytes, 0]));
          expect(wrong.matches()).toBe(false);
        },
      ),
    );
  });
});
