import { RegistryError } from '../../../../oci/index.ts';
import type { UploadProgress, UploadSession } from '../../../upstream/index.ts';
import type { Answer } from '../../answer.ts';
import type { UploadStep } from '../../upload-sessions.ts';
import type { Push } from '../push.ts';

/** @throws {RegistryError} BLOB_UPLOAD_UNKNOWN for a session that is not this client's, or has ended */
export function openStep({ uploads, owner }: Push, session: string): UploadStep {
  const step = uploads.open(session, owner);
  if (!step) throw new RegistryError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload; start a new one');
  return step;
}

export function sessionOf({ repository }: Push, { location }: UploadStep): UploadSession {
  return { repository, location };
}

/**
 * The step that follows.
 * @param expected how many bytes should be there by our own count
 */
export function nextStep(id: string, progress: UploadProgress, expected: number | undefined): UploadStep {
  const { session, lastByte } = progress;
  return { id, location: session.location, offset: offsetAfter(lastByte, expected) };
}

/** An answer that tells the client where the upload goes on: by us, never by the upstream. */
export function stepAnswer(push: Push, status: number, step: UploadStep, progress: UploadProgress): Answer {
  const { uploads, owner, name, namespace } = push;
  const query = namespace === undefined ? '' : `?${new URLSearchParams({ ns: namespace })}`;
  return {
    status,
    headers: {
      Location: `/v2/${name}/blobs/uploads/${uploads.seal(step, owner)}${query}`,
      'Docker-Upload-UUID': progress.uuid ?? step.id,
      ...(step.offset !== undefined && { Range: `0-${Math.max(0, step.offset - 1)}` }),
      ...(progress.minimumChunkBytes !== undefined && {
        'OCI-Chunk-Min-Length': String(progress.minimumChunkBytes),
      }),
      ...(status !== 204 && { 'Content-Length': 0 }),
    },
  };
}

/** `0-0` is what registries say of one byte, and of none. */
function offsetAfter(lastByte: number | undefined, expected: number | undefined): number | undefined {
  return lastByte === undefined || lastByte === 0 ? expected : lastByte + 1;
}
