import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryAfterMs } from '../../../../../src/proxy/upstream/remote/answers/index.ts';
import { Budget, readRateLimit } from '../../../../../src/proxy/upstream/remote/budget/index.ts';
import { AnswerHeaders } from '../../../../../src/proxy/upstream/remote/transport/index.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

const HOUR_MS = 3_600_000;

function headers(values: Record<string, string | string[]>): AnswerHeaders {
  return new AnswerHeaders(new Map(Object.entries(values).map(([name, value]) => [name, [value].flat()])));
}

const read = (limit: string, remaining: string, source?: string) =>
  readRateLimit(
    headers({
      'ratelimit-limit': limit,
      'ratelimit-remaining': remaining,
      ...(source !== undefined && { 'docker-ratelimit-source': source }),
    }),
  );

describe('the headers of a rate limit', () => {
  it.each([
    ['100;w=21600', '76;w=21600', { limit: 100, remaining: 76, windowSeconds: 21_600 }],
    ['100', '76', { limit: 100, remaining: 76, windowSeconds: undefined }],
    [' 200 ; w=60 ; comment="x"', '0', { limit: 200, remaining: 0, windowSeconds: 60 }],
    ['10, 10;w=1, 50;w=60', '9', { limit: 10, remaining: 9, windowSeconds: undefined }],
    ['unlimited', '5;w=60', { limit: undefined, remaining: 5, windowSeconds: 60 }],
  ])('%s and %s', (limit, remaining, expected) => {
    expect(read(limit, remaining)).toEqual({ ...expected, countedBy: undefined });
  });

  it.each(['', '-1', '1.5', 'many', '1e9', '99999999999', '76 w=21600', `76;${'x'.repeat(300)}`, 'NaN;w=1'])(
    'say nothing with %.20j left',
    (remaining) => {
      expect(read('100;w=21600', remaining)).toBeUndefined();
    },
  );

  it.each([
    ['192.0.2.1', 'address'],
    ['2001:db8::1', 'address'],
    ['b5a3fa4e-6f33-4b2f-a1a8-1d1f2c3d4e5f', 'account'],
    [undefined, undefined],
  ])('with the source %s are counted by %s', (source, countedBy) => {
    expect(read('1', '1', source)?.countedBy).toBe(countedBy);
  });

  it('that contradict each other say nothing', () => {
    expect(readRateLimit(headers({ 'ratelimit-remaining': ['5', '6'] }))).toBeUndefined();
  });

  it('are read back whatever they say', () => {
    const amount = fc.nat({ max: 999_999_999 });
    fc.assert(
      fc.property(amount, amount, amount, (limit, remaining, window) => {
        expect(read(`${limit};w=${window}`, `${remaining};w=${window}`)).toMatchObject({
          limit,
          remaining,
          windowSeconds: window,
        });
      }),
    );
  });

  it('never throw, and never give what is no number', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (limit, remaining) => {
        const found = read(limit, remaining);
        for (const value of [found?.limit ?? 0, found?.remaining ?? 0, found?.windowSeconds ?? 0]) {
          expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
        }
      }),
    );
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-03-01T00:00:00Z');

  it.each([
    ['0', 0],
    ['60', 60_000],
    ['Sun, 01 Mar 2026 00:01:00 GMT', 60_000],
    ['Sat, 28 Feb 2026 00:00:00 GMT', 0],
    [String(now / 1000 + 90), 90_000],
    ['1000000000', 0],
  ])('%s', (text, expected) => {
    expect(retryAfterMs(text, now)).toBe(expected);
  });

  it.each([undefined, '', '-5', '1.5', 'soon', '5 minutes please', '12345678901234567890'])(
    '%j means nothing',
    (text) => {
      expect(retryAfterMs(text, now)).toBeUndefined();
    },
  );

  it('is never negative and never without end', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.date().map(String)), (text) => {
        const found = retryAfterMs(text, now) ?? 0;
        expect(Number.isFinite(found) && found >= 0).toBe(true);
      }),
    );
  });
});

describe('a budget', () => {
  const answer = (status: number, values: Record<string, string>) => ({ status, headers: headers(values) });

  it('knows nothing at first, and nothing that is over', () => {
    const clock = createFakeClock();
    const budget = new Budget(clock);
    expect([budget.isCounted, budget.remaining]).toEqual([false, Number.POSITIVE_INFINITY]);
    budget.note(answer(200, { 'ratelimit-limit': '100;w=60', 'ratelimit-remaining': '7' }));
    expect([budget.isCounted, budget.remaining]).toEqual([true, 7]);
    clock.advance(60_000);
    expect([budget.isCounted, budget.remaining]).toEqual([true, Number.POSITIVE_INFINITY]);
  });

  it('waits as long as a 429 asks, and at most six hours', () => {
    const clock = createFakeClock();
    const budget = new Budget(clock);
    budget.note(answer(200, { 'retry-after': '60' }));
    budget.note(answer(429, {}));
    expect(budget.pausedMs).toBe(0);
    budget.note(answer(429, { 'retry-after': '60' }));
    budget.note(answer(429, { 'retry-after': '5' }));
    expect(budget.pausedMs).toBe(60_000);
    clock.advance(60_000);
    expect(budget.pausedMs).toBe(0);
    budget.note(answer(429, { 'retry-after': '99999999' }));
    expect(budget.pausedMs).toBe(6 * HOUR_MS);
  });
});
