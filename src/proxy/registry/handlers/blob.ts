import { type Digest, mediaTypes, parseRange } from '../../../oci/index.ts';
import type { Answer } from '../answer.ts';
import type { Pull } from './pull.ts';

/** GET (whole, a range, or a redirect) and HEAD of a blob. @see OCI distribution specification 1.1, "Pulling blobs" */
export async function answerBlob(pull: Pull, digest: Digest): Promise<Answer> {
  const { request, upstream, repository, delivery } = pull;
  const { signal } = request;
  const headers = { 'Docker-Content-Digest': digest, ETag: `"${digest}"`, 'Accept-Ranges': 'bytes' };
  if (request.method === 'HEAD') {
    const { sizeBytes } = await upstream.blobHead(repository, digest, { signal });
    return {
      status: 200,
      headers: { ...headers, 'Content-Type': mediaTypes.OCTET_STREAM, 'Content-Length': sizeBytes },
    };
  }

  const range = request.headers.range === undefined ? undefined : parseRange(request.headers.range);
  const blob = await upstream.blob(repository, digest, { delivery, signal, ...(range && { range }) });
  if (blob.type === 'redirect')
    return { status: 307, headers: { Location: blob.location, 'Content-Length': 0 } };

  const { part, sizeBytes, body } = blob;
  const length = part ? part.end - part.start + 1 : sizeBytes;
  return {
    status: part ? 206 : 200,
    headers: {
      ...headers,
      'Content-Type': mediaTypes.OCTET_STREAM,
      ...(length !== undefined && { 'Content-Length': length }),
      ...(part && { 'Content-Range': `bytes ${part.start}-${part.end}/${sizeBytes ?? '*'}` }),
    },
    body,
  };
}
