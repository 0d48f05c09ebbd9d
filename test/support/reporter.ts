import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

/** How the tests of one run ended. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Counts what passed and what failed. A file that cannot be loaded, a hook that throws and an error that nobody
 * caught each count as a failure.
 */
export function countTests(
  modules: readonly Pick<TestModule, 'children' | 'errors'>[],
  unhandledErrors: readonly unknown[],
): TestCounts {
  let passed = 0;
  let failed = unhandledErrors.length;
  for (const module of modules) {
    failed += module.errors().length;
    for (const suite of module.children.allSuites()) failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed++;
      // Pending: the run ended before the test did.
      if (state === 'failed' || state === 'pending') failed++;
    }
  }
  return { passed, failed };
}

/**
 * Writes `passed failed` to the file that TEST_COUNTS_FILE names, for `test/support/run-suites.sh`, which sums
 * several runs up.
 */
export default class CountingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const file = process.env.TEST_COUNTS_FILE;
    if (file === undefined) return;
    const { passed, failed } = countTests(modules, unhandledErrors);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${passed} ${failed}\n`);
  }
}
