import { type Descriptor, type Digest, isRecord, mediaTypes, parseDescriptor } from '../../../oci/index.ts';

/** What a manifest leads to, and what it says of itself as a referrer. */
export interface ManifestLinks {
  /** Of an index. */
  readonly manifests: readonly Descriptor[];
  /** Config and layers. */
  readonly blobs: readonly Descriptor[];
  /** The manifest that this one is about. */
  readonly subject: Digest | undefined;
  /** Its own artifact type, else the media type of its config. */
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/**
 * Reads an index or an image manifest, whichever its media type says. One that holds the lists of both is
 * neither: different clients would see different images in it.
 * @returns undefined when it is not what its media type says
 */
export function parseManifestLinks(content: Buffer, mediaType: string): ManifestLinks | undefined {
  const manifest = parseJson(content);
  if (!isRecord(manifest)) return undefined;
  const isIndex = mediaTypes.isIndexType(mediaType);
  if (isIndex ? 'layers' in manifest || 'config' in manifest : 'manifests' in manifest) return undefined;
  const manifests = descriptors(isIndex ? manifest.manifests : []);
  const config = manifest.config === undefined ? [] : descriptors([manifest.config]);
  const layers = descriptors(manifest.layers ?? []);
  if (!manifests || !config || !layers) return undefined;
  const ownType = typeof manifest.artifactType === 'string' ? manifest.artifactType : undefined;
  return {
    manifests,
    blobs: [...config, ...layers],
    subject: parseDescriptor(manifest.subject)?.digest,
    artifactType: ownType || config[0]?.mediaType,
    annotations: parseAnnotations(manifest.annotations),
  };
}

/** @returns undefined unless it is a list of nothing but descriptors */
export function descriptors(value: unknown): Descriptor[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const parsed = value.map(parseDescriptor);
  return parsed.every((descriptor) => descriptor !== undefined) ? parsed : undefined;
}

export function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    return undefined;
  }
}

function parseAnnotations(value: unknown): Record<string, string> | undefined {
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(entries);
}
