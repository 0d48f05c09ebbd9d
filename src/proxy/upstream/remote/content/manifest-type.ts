import { isRecord, mediaTypes } from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';
import { parseMediaType } from './media-type.ts';

/** What servers say that do not know what they serve. */
const VAGUE_TYPES: readonly string[] = ['application/octet-stream', 'text/plain', 'application/json'];
const IMAGE_TYPES: readonly string[] = [mediaTypes.OCI_MANIFEST, mediaTypes.DOCKER_MANIFEST];

export function isVagueType(mediaType: string | undefined): boolean {
  return mediaType === undefined || VAGUE_TYPES.includes(mediaType);
}

/**
 * The media type of a manifest, from the answer's header or, where that is vague, from the content. Content that can
 * be read as two kinds of manifest, or as another kind than the header says, is refused: clients would not agree
 * about what they pull (GHSA-qq97-vm5h-rrhg).
 * @throws {UpstreamError} `faulty`
 */
export function manifestType(content: Buffer, header: string | undefined): string {
  const manifest = parseJson(content);
  const keys = new Set(Object.keys(manifest).map((key) => key.toLowerCase()));
  const listsManifests = keys.has('manifests');
  const listsLayers = keys.has('layers') || keys.has('fslayers') || keys.has('config');
  if (listsManifests && listsLayers) throw faulty('is an image and an index at once');
  const inside = parseMediaType(manifest.mediaType);
  if (manifest.mediaType !== undefined && inside === undefined) throw faulty('has a media type that is none');
  const mediaType = (isVagueType(header) ? undefined : header) ?? inside ?? guess(manifest, listsManifests);
  if (inside !== undefined && inside !== mediaType) throw faulty(`is ${inside} and was sent as ${mediaType}`);
  if (mediaTypes.isIndexType(mediaType) ? listsLayers : listsManifests && IMAGE_TYPES.includes(mediaType)) {
    throw faulty(`was sent as ${mediaType} and is none`);
  }
  return mediaType;
}

/** Old manifests, and OCI's, may say nothing about themselves. */
function guess(manifest: Record<string, unknown>, listsManifests: boolean): string {
  if (manifest.schemaVersion === 1) return mediaTypes.DOCKER_MANIFEST_V1_SIGNED;
  if (manifest.schemaVersion !== 2) throw faulty('does not say what it is');
  return listsManifests ? mediaTypes.OCI_INDEX : mediaTypes.OCI_MANIFEST;
}

function parseJson(content: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(content.toString('utf8'));
  } catch {
    throw faulty('is not JSON');
  }
  if (!isRecord(value)) throw faulty('is not a JSON object');
  return value;
}

function faulty(what: string): UpstreamError {
  return new UpstreamError('faulty', `a manifest ${what}`);
}
