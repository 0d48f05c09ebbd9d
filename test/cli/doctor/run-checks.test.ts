import { describe, expect, it } from 'vitest';
import { certificateEnd } from '../../../src/cli/doctor/certificate-end.ts';
import { type Check, fail, ok, reasonOf } from '../../../src/cli/doctor/check.ts';
import { type Result, runChecks } from '../../../src/cli/doctor/run-checks.ts';

const DAY_MS = 86_400_000;

async function results(...checks: Check<string>[]): Promise<Result[]> {
  const all: Result[] = [];
  for await (const result of runChecks('one', 'subject', checks)) all.push(result);
  return all;
}

describe('checks', () => {
  it('run in order; what needs one that failed is skipped, and so on', async () => {
    const ran: string[] = [];
    const check = (name: string, isWell: boolean, needs: string[] = []): Check<string> => ({
      name,
      needs,
      run: async () => {
        ran.push(name);
        return isWell ? ok('well') : fail('not well', 'do something');
      },
    });
    const all = await results(
      check('a', true),
      check('b', false, ['a']),
      check('c', true, ['b']),
      check('d', true, ['c']),
      check('e', true, ['a']),
    );
    expect(all.map(({ check: name, status }) => `${name} ${status}`)).toEqual([
      'a ok',
      'b fail',
      'c skipped',
      'd skipped',
      'e ok',
    ]);
    expect(ran).toEqual(['a', 'b', 'e']);
  });

  it('that break down are findings too, and those that find nothing say nothing', async () => {
    const all = await results(
      { name: 'broken', run: () => Promise.reject(new Error('a defect')) },
      { name: 'silent', run: async () => [] },
    );
    expect(all).toMatchObject([{ check: 'broken', status: 'fail', message: 'a defect' }]);
  });
});

it('a reason is the chain of causes, on one line, without repeating itself', () => {
  const cause = Object.assign(new Error(''), { code: 'ECONNREFUSED' });
  expect(reasonOf(new Error('no answer\nfrom there', { cause }))).toBe('no answer from there: ECONNREFUSED');
  expect(reasonOf(new Error('no answer (ECONNREFUSED)', { cause }))).toBe('no answer (ECONNREFUSED)');
  expect(reasonOf('text')).toBe('text');
});

it.each([
  [-1, 'fail', 'ended on 2026-01-01'],
  [13, 'warn', 'ends on 2026-01-01, in 13 days'],
  [1, 'warn', 'in 1 day'],
  [15, 'ok', 'is good until 2026-01-01'],
])('a certificate that ends in %i days: %s', (days, status, message) => {
  const endsAt = Date.parse('2026-01-01T12:00:00Z');
  expect(certificateEnd('it', endsAt, endsAt - days * DAY_MS)).toMatchObject([
    { status, message: expect.stringContaining(message) },
  ]);
});
