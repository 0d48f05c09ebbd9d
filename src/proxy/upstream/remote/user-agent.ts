import { programVersion } from '../../../core/index.ts';

/** Product and version, as registries see them. */
export function userAgent(): string {
  return `docker-registry-proxy/${programVersion()}`;
}
