import { defineConfig } from 'vitest/config';

/**
 * `vitest run` runs the tests of the parts; `--mode e2e` and `--mode long` run the others. The files of the parts share
 * what they import, since half of the time went into that: a test leaves nothing behind in a module or the environment.
 */
const SUITES = {
  test: {
    ...{ include: ['test/**/*.test.ts'], exclude: ['test/e2e/**', 'test/long/**'] },
    ...{ isolate: false, unstubEnvs: true, maxWorkers: 2 },
  },
  e2e: { include: ['test/e2e/**/*.test.ts'], maxWorkers: 2 },
  long: { include: ['test/long/**/*.test.ts'], maxWorkers: 1 },
};

export default defineConfig(({ mode }) => ({
  test: {
    ...SUITES[mode in SUITES ? (mode as keyof typeof SUITES) : 'test'],
    testTimeout: mode === 'test' ? 20_000 : 120_000,
    hookTimeout: mode === 'test' ? 30_000 : 120_000,
    reporters: ['default', './test/support/reporter.ts'],
  },
}));
