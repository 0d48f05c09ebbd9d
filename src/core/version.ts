import { createRequire } from 'node:module';

/** The program's version. In the executable for nodes this module is replaced by one with the version in it. */
export function programVersion(): string {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  return version;
}
