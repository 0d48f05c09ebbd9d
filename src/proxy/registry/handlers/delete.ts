import type { Answer } from '../answer.ts';
import type { Resource } from '../operation.ts';
import type { Push } from './push.ts';

/** What needs the right to delete. */
export type DeletedResource = Extract<Resource, { kind: 'manifest' | 'blob' }>;

/** @see OCI distribution specification 1.1, "Content Management" */
export async function answerDelete(push: Push, resource: DeletedResource): Promise<Answer> {
  const { target, repository, request } = push;
  const { signal } = request;
  if (resource.kind === 'blob') await target.deleteBlob(repository, resource.digest, { signal });
  else await target.deleteManifest(repository, resource.reference, { signal });
  return { status: 202, headers: { 'Content-Length': 0 } };
}
