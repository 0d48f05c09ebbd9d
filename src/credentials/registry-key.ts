import { canonicalRegistryName } from '../oci/index.ts';

/** What may stand behind the host in a key that means the whole registry. */
const REGISTRY_PATH = /^\/?(?:v[12]\/?)?$/;

/**
 * The one spelling for all keys that mean the same registry: `host`, `host:port`, `https://host`,
 * `https://host/v1/`, and the names of Docker Hub.
 * @returns undefined for a key with any other path. Podman writes such keys for single namespaces, and the
 * credential behind one is not meant for the rest of the registry.
 */
export function canonicalRegistry(key: string): string | undefined {
  const match = /^(?:https?:\/\/)?([^/@\s]+)(\/.*)?$/i.exec(key);
  if (!match?.[1] || !REGISTRY_PATH.test(match[2] ?? '')) return undefined;
  return canonicalRegistryName(match[1]);
}
