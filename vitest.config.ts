import { defineConfig } from 'vitest/config';

/** `vitest run` runs the tests of the parts; `--mode e2e` and `--mode long` run the others. */
const SUITES: Record<string, { include: string[]; exclude?: string[]; maxWorkers?: number }> = {
  test: { include: ['test/**/*.test.ts'], exclude: ['test/e2e/**', 'test/long/**'], maxWorkers: 2 },
  e2e: { include: ['test/e2e/**/*.test.ts'], maxWorkers: 2 },
  long: { include: ['test/long/**/*.test.ts'], maxWorkers: 1 },
};

export default defineConfig(({ mode }) => ({
  test: {
    ...(SUITES[mode] ?? SUITES.test),
    testTimeout: mode === 'test' ? 20_000 : 120_000,
    hookTimeout: mode === 'test' ? 30_000 : 120_000,
    reporters: ['default', './test/support/reporter.ts'],
  },
}));
