import { createRequire } from 'node:module';

/** Product and version, as registries see them. */
export function userAgent(): string {
  const { version } = createRequire(import.meta.url)('../../../../package.json') as { version: string };
  return `docker-registry-proxy/${version}`;
}
