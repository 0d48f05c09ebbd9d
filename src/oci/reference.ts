import { type Digest, parseDigest } from './digest.ts';

/** A checked repository name such as `team/app`. Only {@link parseRepositoryName} makes one. */
export type RepositoryName = string & { readonly __repositoryName: unique symbol };

/** A checked tag such as `1.2.0`. Only {@link parseTag} makes one. */
export type Tag = string & { readonly __tag: unique symbol };

/** What a manifest is asked for by. */
export type Reference =
  | { readonly type: 'tag'; readonly tag: Tag }
  | { readonly type: 'digest'; readonly digest: Digest };

const MAXIMUM_NAME_LENGTH = 255;
const NAME_SEGMENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** @see OCI distribution specification 1.1, "Pulling manifests", the grammar of `<name>` */
export function parseRepositoryName(text: string): RepositoryName | undefined {
  if (text.length === 0 || text.length > MAXIMUM_NAME_LENGTH) return undefined;
  return text.split('/').every((segment) => NAME_SEGMENT.test(segment))
    ? (text as RepositoryName)
    : undefined;
}

/** @see OCI distribution specification 1.1, "Pulling manifests", the grammar of `<reference>` as a tag */
export function parseTag(text: string): Tag | undefined {
  return TAG.test(text) ? (text as Tag) : undefined;
}

/** A digest where there is a colon, else a tag. */
export function parseReference(text: string): Reference | undefined {
  if (text.includes(':')) {
    const digest = parseDigest(text);
    return digest && { type: 'digest', digest };
  }
  const tag = parseTag(text);
  return tag && { type: 'tag', tag };
}

/** The reference as it stands in a path. */
export function referenceText(reference: Reference): string {
  return reference.type === 'tag' ? reference.tag : reference.digest;
}
