import type { RepositoryName } from '../../../oci/index.ts';
import type { PushTarget } from '../../upstream/index.ts';
import type { Answer } from '../answer.ts';
import type { PushedDetails } from '../exchange.ts';
import type { Resource } from '../operation.ts';
import type { UploadOwner, UploadSessions } from '../upload-sessions.ts';
import type { Pull } from './pull.ts';
import { answerManifestPush } from './push-manifest.ts';
import { cancelUpload, finishUpload, sendChunk, startUpload, tellProgress } from './uploads/index.ts';

/** An admitted request that changes something in one repository, and where it leads. */
export interface Push extends Pick<Pull, 'request' | 'name' | 'repository'> {
  readonly target: PushTarget;
  readonly uploads: UploadSessions;
  /** Whose uploads it may go on with. */
  readonly owner: UploadOwner;
  /** The registry that a mirror stands for; the client's next request has to say it again. */
  readonly namespace: string | undefined;
  /**
   * Where a mount would take a blob from: a repository that the caller may pull, of the same upstream. Undefined for any
   * other, and nobody can tell why.
   */
  mountSource(from: string): RepositoryName | undefined;
  /** For the audit log. */
  note(details: PushedDetails): void;
}

/** What needs the right to push. */
export type PushedResource = Extract<Resource, { kind: 'manifest' | 'uploads' | 'upload' }>;

export function answerPush(push: Push, resource: PushedResource): Promise<Answer> {
  switch (resource.kind) {
    case 'manifest':
      return answerManifestPush(push, resource.reference);
    case 'uploads':
      return startUpload(push);
    case 'upload':
      return answerUpload(push, resource.session);
  }
}

function answerUpload(push: Push, session: string): Promise<Answer> {
  switch (push.request.method) {
    case 'GET':
      return tellProgress(push, session);
    case 'PATCH':
      return sendChunk(push, session);
    case 'DELETE':
      return cancelUpload(push, session);
    default:
      return finishUpload(push, session);
  }
}
