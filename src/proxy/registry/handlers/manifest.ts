import type { Reference } from '../../../oci/index.ts';
import type { ManifestHead } from '../../upstream/index.ts';
import { type Answer, bytesAnswer } from '../answer.ts';
import { badRequest } from '../request.ts';
import type { Pull } from './pull.ts';

const MAXIMUM_ACCEPT_LENGTH = 4096;
/** RFC 7234, section 5.5.1: stale, because the upstream's rate limit was to be spared. */
const LAST_KNOWN = '110 - "the rate limit of the upstream is nearly used up; this is what was last known"';

/** GET and HEAD of a manifest. @see OCI distribution specification 1.1, "Pulling manifests" */
export async function answerManifest(pull: Pull, reference: Reference): Promise<Answer> {
  const { request, upstream, repository } = pull;
  const options = { accept: acceptedTypes(request.headers.accept), signal: request.signal };
  if (request.method === 'HEAD') {
    const head = await upstream.manifestHead(repository, reference, options);
    return { status: 200, headers: { ...headersOf(head), 'Content-Length': head.sizeBytes } };
  }
  const manifest = await upstream.manifest(repository, reference, options);
  return bytesAnswer(200, manifest.content, headersOf(manifest));
}

function headersOf(manifest: ManifestHead): Record<string, string> {
  return {
    'Content-Type': manifest.mediaType,
    'Docker-Content-Digest': manifest.digest,
    ETag: `"${manifest.digest}"`,
    ...(manifest.ageSeconds !== undefined && {
      Age: String(manifest.ageSeconds),
      Warning: LAST_KNOWN,
    }),
  };
}

/** @throws {RegistryError} for a list that no client has a use for, and that upstreams would refuse */
function acceptedTypes(accept: string | undefined): string[] {
  if (accept !== undefined && accept.length > MAXIMUM_ACCEPT_LENGTH) {
    throw badRequest('the Accept header is too long');
  }
  return (accept ?? '')
    .split(',')
    .map((type) => type.trim())
    .filter((type) => type !== '' && type !== '*/*');
}
