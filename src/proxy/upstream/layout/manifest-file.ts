import { readBounded } from '../../../core/index.ts';
import type { Descriptor } from '../../../oci/index.ts';
import { UpstreamError } from '../errors.ts';
import { verifiedBody } from '../verified-body.ts';
import { openContent } from './content-file.ts';
import { fileStream } from './file-stream.ts';
import { type ManifestLinks, parseManifestLinks } from './manifest-links.ts';

/** @see OCI distribution specification 1.1, "Pushing manifests": the size every registry has to take */
export const LARGEST_MANIFEST_BYTES = 4 * 1024 * 1024;

export interface ManifestFile {
  /** The exact bytes, already checked against the digest. */
  readonly content: Buffer;
  readonly links: ManifestLinks;
}

/** @throws {UpstreamError} `not-found`, `unreachable`, or `faulty` for wrong bytes and for what is no manifest */
export async function readManifestFile(
  folder: string,
  { digest, size, mediaType }: Descriptor,
  signal: AbortSignal,
): Promise<ManifestFile> {
  if (size > LARGEST_MANIFEST_BYTES) {
    throw new UpstreamError(
      'faulty',
      `the manifest ${digest} is larger than ${LARGEST_MANIFEST_BYTES} bytes`,
    );
  }
  const open = async () => (await openContent(folder, digest, size)).handle;
  const body = fileStream(open, { start: 0, end: size - 1 }, signal);
  const content = await readBounded(verifiedBody(body, digest, size), LARGEST_MANIFEST_BYTES);
  const links = parseManifestLinks(content, mediaType);
  if (!links) throw new UpstreamError('faulty', `${digest} is not a manifest of type ${mediaType}`);
  return { content, links };
}
