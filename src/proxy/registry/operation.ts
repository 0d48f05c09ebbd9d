import {
  type Digest,
  parseDigest,
  parseReference,
  parseRepositoryName,
  type Reference,
  RegistryError,
  type RepositoryName,
} from '../../oci/index.ts';
import type { Action } from '../policy/index.ts';

/** What a request is about, read once from its raw path. */
export type Resource =
  | { readonly kind: 'ping' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly name: RepositoryName }
  | { readonly kind: 'manifest'; readonly name: RepositoryName; readonly reference: Reference }
  | { readonly kind: 'blob'; readonly name: RepositoryName; readonly digest: Digest }
  | { readonly kind: 'referrers'; readonly name: RepositoryName; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly name: RepositoryName }
  | { readonly kind: 'upload'; readonly name: RepositoryName; readonly session: string };

/** A resource within one repository. */
export type NamedResource = Extract<Resource, { readonly name: RepositoryName }>;

/** What has to be allowed: an action of the policy, or no more than a valid token. */
export type Need = Action | 'token';

/** The one table from method and resource to what has to be allowed. What is not in it is not allowed. */
const NEED_BY_METHOD: Readonly<Record<Resource['kind'], Readonly<Record<string, Need>>>> = {
  ping: { GET: 'token', HEAD: 'token' },
  catalog: { GET: 'token' },
  tags: { GET: 'pull' },
  manifest: { GET: 'pull', HEAD: 'pull', PUT: 'push', DELETE: 'delete' },
  blob: { GET: 'pull', HEAD: 'pull', DELETE: 'delete' },
  referrers: { GET: 'pull' },
  uploads: { POST: 'push' },
  upload: { GET: 'push', PATCH: 'push', PUT: 'push', DELETE: 'push' },
};

/** @returns undefined for a method that this resource does not have. */
export function neededFor(resource: Resource, method: string): Need | undefined {
  const needs = NEED_BY_METHOD[resource.kind];
  return Object.hasOwn(needs, method) ? needs[method] : undefined;
}

/** The methods of a resource, as an `Allow` header has them. */
export function allowedMethods(resource: Resource): string {
  return Object.keys(NEED_BY_METHOD[resource.kind]).join(', ');
}

const ROOT = '/v2/';
const MAXIMUM_PATH_LENGTH = 1024;
/** An upload's session holds what the upstream's own address of it holds. */
const MAXIMUM_SESSION_LENGTH = 8192;
const UPLOAD_SESSION = /^[A-Za-z0-9._=~-]+$/;

/**
 * Reads a raw path with the one grammar of the API. Nothing is decoded first: no legal name, tag or digest needs
 * percent-encoding, so a path that has any is not one of ours.
 * @param path without the query
 * @throws {RegistryError} NAME_INVALID, DIGEST_INVALID, TAG_INVALID, or UNSUPPORTED with status 404
 * @see OCI distribution specification 1.1, "Endpoints"
 */
export function parseResource(path: string): Resource {
  if (path === '/v2' || path === ROOT) return { kind: 'ping' };
  if (!path.startsWith(ROOT)) throw nothingHere();
  if (path.length > MAXIMUM_PATH_LENGTH + MAXIMUM_SESSION_LENGTH) throw tooLong();
  if (path === '/v2/_catalog') return { kind: 'catalog' };

  const segments = path.slice(ROOT.length).split('/');
  const last = segments.pop() ?? '';
  const verb = segments.pop();
  if (path.length - last.length > MAXIMUM_PATH_LENGTH) throw tooLong();
  if (verb === 'uploads' && segments.at(-1) === 'blobs') {
    segments.pop();
    const name = repositoryName(segments);
    if (last === '') return { kind: 'uploads', name };
    if (!UPLOAD_SESSION.test(last)) throw nothingHere();
    return { kind: 'upload', name, session: last };
  }
  if (last.length > MAXIMUM_PATH_LENGTH) throw tooLong();
  switch (verb) {
    case 'manifests':
      return { kind: 'manifest', name: repositoryName(segments), reference: reference(last) };
    case 'blobs':
      return { kind: 'blob', name: repositoryName(segments), digest: digest(last) };
    case 'referrers':
      return { kind: 'referrers', name: repositoryName(segments), digest: digest(last) };
    case 'tags':
      if (last === 'list') return { kind: 'tags', name: repositoryName(segments) };
  }
  throw nothingHere();
}

function repositoryName(segments: readonly string[]): RepositoryName {
  const name = parseRepositoryName(segments.join('/'));
  if (!name) throw new RegistryError('NAME_INVALID', 'the repository name is not valid');
  return name;
}

function digest(text: string): Digest {
  const parsed = parseDigest(text);
  if (!parsed)
    throw new RegistryError('DIGEST_INVALID', 'expected a digest such as sha256: and 64 hex digits');
  return parsed;
}

function reference(text: string): Reference {
  const parsed = parseReference(text);
  if (parsed) return parsed;
  throw text.includes(':')
    ? new RegistryError('DIGEST_INVALID', 'expected a digest such as sha256: and 64 hex digits')
    : new RegistryError('TAG_INVALID', 'the tag is not valid');
}

function nothingHere(): RegistryError {
  return new RegistryError('UNSUPPORTED', 'there is nothing at this path; the registry API begins at /v2/', {
    status: 404,
  });
}

function tooLong(): RegistryError {
  return new RegistryError('NAME_INVALID', 'the path is too long');
}
