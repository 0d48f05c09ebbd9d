import { type Digest, parseDigest } from './digest.ts';
import { parseRepositoryName, parseTag, type RepositoryName, type Tag } from './reference.ts';

/** What an image is called by, in full. */
export interface ImageReference {
  /** `host` or `host:port`, in lower case; `docker.io` for each of Docker Hub's spellings. */
  readonly registry: string;
  /** With `library/` where Docker Hub leaves it out. */
  readonly repository: RepositoryName;
  readonly tag?: Tag;
  readonly digest?: Digest;
}

const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_SPELLINGS: readonly string[] = [DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io'];
/** The host that answers for `docker.io`. */
const REGISTRY_HOST_OF_DOCKER_HUB = 'registry-1.docker.io';

const HOST_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const REGISTRY = new RegExp(`^(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?$`);
const IMAGE_ID = /^(?:sha256:)?[0-9a-f]{64}$/;

/**
 * Reads a reference as Docker does: what stands before the first slash is a registry when it could not be a part of
 * a repository's name; without one, Docker Hub is meant.
 * @returns undefined for what is no reference, a bare image id included
 */
export function parseImageReference(text: string): ImageReference | undefined {
  if (IMAGE_ID.test(text)) return undefined;
  const [named = '', digestText, ...rest] = text.split('@');
  if (rest.length > 0) return undefined;
  const digest = digestText === undefined ? undefined : parseDigest(digestText);
  if (digestText !== undefined && !digest) return undefined;
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : parseTag(named.slice(colon + 1));
  if (colon >= 0 && !tag) return undefined;
  const name = splitRegistry(colon < 0 ? named : named.slice(0, colon));
  const repository = name && parseRepositoryName(name.path);
  if (!repository) return undefined;
  return { registry: name.registry, repository, ...(tag && { tag }), ...(digest && { digest }) };
}

/** Where the registry of a reference is reached. */
export function registryHost(registry: string): string {
  return registry === DOCKER_HUB ? REGISTRY_HOST_OF_DOCKER_HUB : registry;
}

/** One spelling for all that mean the same registry. */
export function canonicalRegistryName(registry: string): string {
  const host = registry.toLowerCase().replace(/:443$/, '');
  return DOCKER_HUB_SPELLINGS.includes(host) ? DOCKER_HUB : host;
}

/** Docker Hub's own images go by one segment, and are kept below `library/`. */
export function canonicalPath(registry: string, path: string): string {
  return registry === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path;
}

function splitRegistry(name: string): { registry: string; path: string } | undefined {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(0, slash));
  const isRegistry = /[.:]/.test(first) || first === 'localhost';
  if (!isRegistry) return { registry: DOCKER_HUB, path: canonicalPath(DOCKER_HUB, name) };
  if (!REGISTRY.test(first)) return undefined;
  const registry = canonicalRegistryName(first);
  return { registry, path: canonicalPath(registry, name.slice(slash + 1)) };
}
