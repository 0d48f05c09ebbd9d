import { afterAll, afterEach } from 'vitest';
import { tail } from './processes.ts';

/** Something that a test opens and has to close. */
export interface Resource {
  close(): Promise<unknown>;
  logs?(): string;
}

/**
 * Keeps what the tests of one file or `describe` share: all of it is closed after the last of them, the newest
 * first, and the end of each log is shown when a test fails.
 */
export function useResources(): <T extends Resource>(resource: T) => T {
  const open: Resource[] = [];
  afterEach(({ task }) => {
    if (task.result?.state !== 'fail') return;
    for (const { logs } of open) if (logs) process.stderr.write(`${tail(logs())}\n`);
  });
  afterAll(async () => {
    const failures: unknown[] = [];
    for (const resource of open.splice(0).reverse()) {
      await resource.close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw new AggregateError(failures, 'could not close everything');
  });
  return (resource) => {
    open.push(resource);
    return resource;
  };
}
