import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseChunkRange } from '../../src/oci/index.ts';

const offset = fc.nat({ max: Number.MAX_SAFE_INTEGER }).filter((number) => number < 1e15);

it('reads start-end, with what some clients write around it', () => {
  fc.assert(
    fc.property(offset, offset, (a, b) => {
      const [start, end] = a < b ? [a, b] : [b, a];
      for (const text of [`${start}-${end}`, `bytes ${start}-${end}/*`, `bytes=${start}-${end}`]) {
        expect(parseChunkRange(text)).toEqual({ start, end });
      }
      if (start < end) expect(parseChunkRange(`${end}-${start}`)).toBeUndefined();
    }),
  );
});

it('reads nothing else', () => {
  for (const text of ['', '-', '1', '1-', '-1', '1--2', '+1-2', '1.5-2', '1e3-2e3', '0x1-0x2', '1-2,3-4']) {
    expect(parseChunkRange(text), text).toBeUndefined();
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      const range = parseChunkRange(text);
      expect(range === undefined || range.start <= range.end).toBe(true);
    }),
  );
});
