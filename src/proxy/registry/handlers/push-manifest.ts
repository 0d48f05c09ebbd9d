import { BodyTooLargeError, readBounded } from '../../../core/index.ts';
import {
  type Digest,
  digestAlgorithm,
  digestOf,
  isRecord,
  parseTag,
  type Reference,
  RegistryError,
  type Tag,
} from '../../../oci/index.ts';
import type { Answer } from '../answer.ts';
import { badRequest, type RegistryRequest } from '../request.ts';
import type { Push } from './push.ts';

const MAXIMUM_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAXIMUM_TAGS = 50;
const MEDIA_TYPE = /^[A-Za-z0-9!#$&^_.+-]{1,127}\/[A-Za-z0-9!#$&^_.+-]{1,127}$/;

/** PUT of a manifest, in its exact bytes. @see OCI distribution specification 1.1, "Pushing manifests" */
export async function answerManifestPush(push: Push, reference: Reference): Promise<Answer> {
  const { request, target, repository, name } = push;
  const tags = readTags(request, reference);
  const content = await readManifest(request);
  const digest = checkedDigest(content, reference);
  const mediaType = readMediaType(request, content);
  push.note({ reference: reference.type === 'tag' ? reference.tag : digest });
  const { subject } = await target.putManifest(
    repository,
    reference,
    { content, mediaType, digest, tags },
    { signal: request.signal },
  );
  return {
    status: 201,
    headers: {
      Location: `/v2/${name}/manifests/${digest}`,
      'Docker-Content-Digest': digest,
      'Content-Length': 0,
      ...(subject !== undefined && { 'OCI-Subject': subject }),
      ...(tags.length > 0 && { 'OCI-Tag': [...tags] }),
    },
  };
}

async function readManifest({ body }: RegistryRequest): Promise<Buffer> {
  if ((body.sizeBytes ?? 0) > MAXIMUM_MANIFEST_BYTES) throw tooLarge();
  try {
    return await readBounded(body.bytes, MAXIMUM_MANIFEST_BYTES);
  } catch (error) {
    throw error instanceof BodyTooLargeError ? tooLarge() : error;
  }
}

/** Tags to set besides: those of the query, where the manifest is pushed by its digest. */
function readTags({ query }: RegistryRequest, reference: Reference): Tag[] {
  const texts = [...new Set(query.getAll('tag'))];
  if (texts.length === 0) return [];
  if (reference.type === 'tag') throw badRequest('tag= goes with a push by digest');
  if (texts.length > MAXIMUM_TAGS) {
    throw new RegistryError('TAG_INVALID', `at most ${MAXIMUM_TAGS} tags at once`, { status: 414 });
  }
  return texts.map((text) => {
    const tag = parseTag(text);
    if (!tag) throw new RegistryError('TAG_INVALID', 'a tag is not valid');
    return tag;
  });
}

function checkedDigest(content: Buffer, reference: Reference): Digest {
  const wanted = reference.type === 'digest' ? reference.digest : undefined;
  const digest = digestOf(content, wanted && digestAlgorithm(wanted));
  if (wanted !== undefined && digest !== wanted) {
    throw new RegistryError('DIGEST_INVALID', 'the digest is not that of the manifest', {
      detail: { digest },
    });
  }
  return digest;
}

/** From the header, or from a manifest that says it of itself. */
function readMediaType({ headers }: RegistryRequest, content: Buffer): string {
  const header = headers['content-type']?.split(';')[0]?.trim();
  const mediaType = header ?? mediaTypeIn(content);
  if (mediaType === undefined || !MEDIA_TYPE.test(mediaType)) {
    throw new RegistryError('MANIFEST_INVALID', 'the Content-Type has to be the media type of the manifest');
  }
  return mediaType;
}

function mediaTypeIn(content: Buffer): string | undefined {
  try {
    const manifest: unknown = JSON.parse(content.toString('utf8'));
    return isRecord(manifest) && typeof manifest.mediaType === 'string' ? manifest.mediaType : undefined;
  } catch {
    return undefined;
  }
}

function tooLarge(): RegistryError {
  return new RegistryError(
    'SIZE_INVALID',
    `a manifest may have ${MAXIMUM_MANIFEST_BYTES} bytes, and no more`,
  );
}
