import type { Descriptor, Digest, RepositoryName, Tag } from '../../../oci/index.ts';
import { UpstreamError } from '../errors.ts';
import { entryName } from './image-name.ts';
import type { ManifestLinks } from './manifest-links.ts';

const LARGEST_DEPTH = 8;
const MOST_ITEMS = 500_000;

/** What one repository holds, and nothing beyond: a file that no tag of it leads to is not its content. */
export interface RepositoryContent {
  readonly tags: ReadonlyMap<Tag, Descriptor>;
  readonly manifests: ReadonlyMap<Digest, Descriptor>;
  /** Sizes in bytes, as the manifests say. */
  readonly blobs: ReadonlyMap<Digest, number>;
  /** By subject. */
  readonly referrers: ReadonlyMap<Digest, readonly Descriptor[]>;
}

export interface Catalogue {
  readonly repositories: ReadonlyMap<RepositoryName, RepositoryContent>;
  /** What could not be used, and why, in words for the log. */
  readonly problems: readonly string[];
}

/** @returns undefined for a manifest that is missing or wrong: the layout goes on without what it leads to */
export type ReadLinks = (manifest: Descriptor) => Promise<ManifestLinks | undefined>;

/**
 * Finds out which repository holds what: all that its tags lead to, and the referrers of that. A referrer is an
 * entry of `index.json` without a name; an entry that is named for another repository stays in that one.
 * @throws {UpstreamError} `faulty` when the layout is beyond all bounds
 */
export async function buildCatalogue(
  entries: readonly Descriptor[],
  readLinks: ReadLinks,
): Promise<Catalogue> {
  const { tagsByRepository, unnamed, problems } = sortEntries(entries);
  const loose = await referrersAmong(unnamed, readLinks);
  const repositories = new Map<RepositoryName, RepositoryContent>();
  let itemsLeft = MOST_ITEMS;
  const takeItems = (count: number): void => {
    itemsLeft -= count;
    if (itemsLeft < 0) throw new UpstreamError('faulty', `the layout lists more than ${MOST_ITEMS} items`);
  };
  for (const [repository, tags] of tagsByRepository) {
    repositories.set(repository, { tags, ...(await walk([...tags.values()], loose, readLinks, takeItems)) });
  }
  return { repositories, problems };
}

function sortEntries(entries: readonly Descriptor[]) {
  const tagsByRepository = new Map<RepositoryName, Map<Tag, Descriptor>>();
  const unnamed: Descriptor[] = [];
  const problems: string[] = [];
  for (const entry of entries) {
    const named = entryName(entry.annotations);
    if (named.type === 'unnamed') {
      unnamed.push(entry);
    } else if (named.type === 'unusable') {
      problems.push(
        `"${named.text}" is ignored because it is not repository:tag; name it with org.opencontainers.image.ref.name, as "skopeo copy SOURCE oci:FOLDER:team/app:1.0" does`,
      );
    } else {
      const { repository, tag } = named.name;
      const tags = tagsByRepository.get(repository) ?? new Map<Tag, Descriptor>();
      tagsByRepository.set(repository, tags);
      if (tags.has(tag)) problems.push(`${repository}:${tag} is there more than once; the first counts`);
      else tags.set(tag, entry);
    }
  }
  return { tagsByRepository, unnamed, problems };
}

async function referrersAmong(unnamed: readonly Descriptor[], readLinks: ReadLinks) {
  const bySubject = new Map<Digest, Descriptor[]>();
  for (const entry of unnamed) {
    const subject = (await readLinks(entry))?.subject;
    if (subject) append(bySubject, subject, entry);
  }
  return bySubject;
}

async function walk(
  roots: readonly Descriptor[],
  loose: ReadonlyMap<Digest, readonly Descriptor[]>,
  readLinks: ReadLinks,
  takeItems: (count: number) => void,
): Promise<Omit<RepositoryContent, 'tags'>> {
  const manifests = new Map<Digest, Descriptor>();
  const blobs = new Map<Digest, number>();
  const referrers = new Map<Digest, Descriptor[]>();
  const pending = roots.map((manifest) => ({ manifest, depth: 0 }));
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { manifest, depth } = next;
    if (manifests.has(manifest.digest) || depth > LARGEST_DEPTH) continue;
    manifests.set(manifest.digest, manifest);
    for (const referrer of loose.get(manifest.digest) ?? []) pending.push({ manifest: referrer, depth });
    const links = await readLinks(manifest);
    takeItems(1 + (links?.blobs.length ?? 0) + (links?.manifests.length ?? 0));
    if (!links) continue;
    for (const { digest, size } of links.blobs) if (!blobs.has(digest)) blobs.set(digest, size);
    for (const child of links.manifests) pending.push({ manifest: child, depth: depth + 1 });
    if (links.subject) append(referrers, links.subject, referrerDescriptor(manifest, links));
  }
  return { manifests, blobs, referrers };
}

/** @see OCI distribution specification 1.1, "Listing Referrers": what comes from the manifest itself */
function referrerDescriptor({ mediaType, digest, size }: Descriptor, links: ManifestLinks): Descriptor {
  return {
    mediaType,
    digest,
    size,
    ...(links.artifactType !== undefined && { artifactType: links.artifactType }),
    ...(links.annotations !== undefined && { annotations: links.annotations }),
  };
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
