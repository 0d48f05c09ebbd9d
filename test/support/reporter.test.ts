import { expect, it } from 'vitest';
import { countTests } from './reporter.ts';

type State = 'passed' | 'failed' | 'skipped' | 'pending';

function module(options: { tests?: State[]; suiteErrors?: number; errors?: number }) {
  const errors = (count = 0) => Array.from({ length: count }, () => new Error('x'));
  return {
    errors: () => errors(options.errors),
    children: {
      allTests: () => (options.tests ?? []).map((state) => ({ result: () => ({ state }) })),
      allSuites: () => [{ errors: () => errors(options.suiteErrors) }],
    },
  } as unknown as Parameters<typeof countTests>[0][number];
}

it('counts tests over all files', () => {
  const modules = [module({ tests: ['passed', 'failed', 'skipped'] }), module({ tests: ['passed'] })];
  expect(countTests(modules, [])).toEqual({ passed: 2, failed: 1 });
});

it.each([
  ['a file that cannot be loaded', [module({ errors: 1 })], []],
  ['a hook that throws', [module({ suiteErrors: 1 })], []],
  ['a test that never ended', [module({ tests: ['pending'] })], []],
  ['an error that nobody caught', [], [new Error('x')]],
])('counts %s as failed', (_case, modules, errors) => {
  expect(countTests(modules, errors)).toEqual({ passed: 0, failed: 1 });
});
