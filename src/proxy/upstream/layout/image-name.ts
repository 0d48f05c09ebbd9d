import { parseRepositoryName, parseTag, type RepositoryName, type Tag } from '../../../oci/index.ts';

/** What an entry of `index.json` is called. */
export interface ImageName {
  readonly repository: RepositoryName;
  readonly tag: Tag;
}

/** containerd, BuildKit and `docker save` write a full reference here, next to a bare tag in {@link REF_NAME}. */
const CONTAINERD_NAME = 'io.containerd.image.name';

/** @see OCI image specification, "Annotations"; skopeo writes whatever stands behind `oci:folder:` */
const REF_NAME = 'org.opencontainers.image.ref.name';

/**
 * - `named`: the entry is `repository:tag`
 * - `unusable`: it has a name, but one that says no repository and tag, such as a bare tag
 * - `unnamed`: no name at all, as with an artifact that only refers to another manifest
 */
export type EntryName =
  | { readonly type: 'named'; readonly name: ImageName }
  | { readonly type: 'unusable'; readonly text: string }
  | { readonly type: 'unnamed' };

export function entryName(annotations: Readonly<Record<string, string>> | undefined): EntryName {
  const texts = [annotations?.[CONTAINERD_NAME], annotations?.[REF_NAME]].filter(
    (text) => text !== undefined,
  );
  for (const text of texts) {
    const name = parseImageName(text);
    if (name) return { type: 'named', name };
  }
  return texts[0] === undefined ? { type: 'unnamed' } : { type: 'unusable', text: texts[0] };
}

/**
 * Reads `repository:tag`. A host in front is left out, as the layout itself stands in its place; as with Docker,
 * a first segment is a host when it holds a dot or a colon, or is `localhost`. A digest at the end is left out too.
 */
export function parseImageName(text: string): ImageName | undefined {
  const [reference = ''] = text.split('@', 1);
  const colon = reference.lastIndexOf(':');
  if (colon < 0) return undefined;
  const repository = parseRepositoryName(withoutHost(reference.slice(0, colon)));
  const tag = parseTag(reference.slice(colon + 1));
  return repository && tag && { repository, tag };
}

function withoutHost(name: string): string {
  const slash = name.indexOf('/');
  const first = name.slice(0, slash);
  return slash > 0 && (/[.:]/.test(first) || first === 'localhost') ? name.slice(slash + 1) : name;
}
