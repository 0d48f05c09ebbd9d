import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The tests that boot machines take longest: they begin first, so that no worker has one left at the end. */
class MachinesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const bootsMachines = ({ moduleId }: TestSpecification) => moduleId.includes('/node-setup/');
    const sorted = await super.sort(files);
    return [...sorted.filter(bootsMachines), ...sorted.filter((file) => !bootsMachines(file))];
  }
}

/**
 * `vitest run` runs the tests of the parts; `--mode e2e` and `--mode long` run the others. The files of the parts share
 * what they import, since half of the time went into that: a test leaves nothing behind in a module or the environment.
 */
const SUITES = {
  test: {
    ...{ include: ['test/**/*.test.ts'], exclude: ['test/e2e/**', 'test/long/**'] },
    ...{ isolate: false, unstubEnvs: true, maxWorkers: 2 },
  },
  e2e: { include: ['test/e2e/**/*.test.ts'], sequence: { sequencer: MachinesFirst }, maxWorkers: 3 },
  long: { include: ['test/long/**/*.test.ts'], maxWorkers: 1 },
};

export default defineConfig(({ mode }) => ({
  test: {
    ...SUITES[mode in SUITES ? (mode as keyof typeof SUITES) : 'test'],
    testTimeout: mode === 'test' ? 60_000 : 120_000,
    hookTimeout: mode === 'test' ? 60_000 : 120_000,
    reporters: ['default', './test/support/reporter.ts'],
  },
}));
