import { describe, expect, it } from 'vitest';
import { interleave, type Measure, median } from '../../bench/measure.ts';
import { formatTable, reachesAim } from '../../bench/table.ts';

const MEASURE: Measure = {
  name: 'speed',
  unit: 'GB/s',
  ours: 0.8,
  peers: [
    { name: 'nginx', value: 1 },
    { name: 'other', value: 200 },
  ],
};

describe('median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[7], 7],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe('interleave', () => {
  it('lets the contestants run in turns, and takes the median of each', async () => {
    const order: string[] = [];
    let run = 0;
    const contestant = (name: string) => async () => {
      order.push(name);
      return ++run;
    };
    expect(await interleave({ a: contestant('a'), b: contestant('b') }, 3)).toEqual({ a: 3, b: 4 });
    expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
  });
});

describe('reachesAim', () => {
  it.each([
    [{ peer: 'nginx', ratio: 0.8 }, true],
    [{ peer: 'nginx', ratio: 0.9 }, false],
    [{ peer: 'nginx', ratio: 0.9, atMost: true }, true],
    [{ peer: 'nginx', ratio: 0.7, atMost: true }, false],
    [{ limit: 0.8 }, true],
    [{ limit: 0.7 }, false],
    [{ peer: 'nobody', ratio: 0.7 }, undefined],
  ])('%j: %s', (aim, expected) => {
    expect(reachesAim({ ...MEASURE, aim })).toBe(expected);
  });
});

describe('formatTable', () => {
  it('has a line for each peer, with the ratio beside the figures', () => {
    expect(formatTable([{ ...MEASURE, aim: { peer: 'nginx', ratio: 0.9 } }])).toBe(
      `measure  unit  ours  peer   peer's  ours / peer  aim
-------  ----  ----  -----  ------  -----------  --------------
speed    GB/s  0.80  nginx  1.00    0.80         ≥ 0.90: MISSED
speed    GB/s  0.80  other  200     0.00
`,
    );
  });

  it('has a line for a measure without peers', () => {
    expect(formatTable([{ ...MEASURE, peers: [], aim: { limit: 1 } }])).toContain('ours ≤ 1: reached');
  });
});
