import { RegistryError } from '../../../../oci/index.ts';
import type { Answer } from '../../answer.ts';
import type { Push } from '../push.ts';
import { readChunkRange } from './chunk.ts';
import { readDigest } from './start-upload.ts';
import { openStep, sessionOf } from './step.ts';
import { storedBlob } from './stored-blob.ts';

/** PUT: the end of an upload, with the whole blob, its last bytes, or none. */
export async function finishUpload(push: Push, session: string): Promise<Answer> {
  const { request, target } = push;
  const step = openStep(push, session);
  const digest = readDigest(request, 'digest');
  if (!digest) throw new RegistryError('DIGEST_INVALID', 'digest= is missing');
  const { sizeBytes, bytes } = request.body;
  const range = readChunkRange(request, step);
  const chunk = sizeBytes === 0 ? undefined : { sizeBytes, bytes, range, mayEndEarly: false };
  await target.finishUpload(sessionOf(push, step), digest, chunk, { signal: request.signal });
  return storedBlob(push, digest);
}
