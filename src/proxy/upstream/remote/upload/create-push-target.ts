import type { PushTarget } from '../../push-target.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Exchange } from '../exchange.ts';
import { ContentWriter } from './content-writer.ts';
import { Uploads } from './uploads.ts';

export interface PushTargetDependencies {
  readonly endpoint: Endpoint;
  readonly exchange: Exchange;
  /** Origins that uploads may be sent to although they are http or private. */
  readonly redirects: readonly string[];
}

/** The writing side of a registry. @see OCI distribution specification 1.1, "Push" and "Content Management" */
export function createPushTarget(dependencies: PushTargetDependencies): PushTarget {
  const uploads = new Uploads(dependencies);
  const content = new ContentWriter(dependencies.endpoint, dependencies.exchange);
  return {
    startUpload: (repository, options) => uploads.start(repository, options),
    uploadProgress: (session, options) => uploads.progress(session, options),
    sendChunk: (session, chunk, options) => uploads.send(session, chunk, options),
    finishUpload: (session, digest, lastChunk, options) =>
      uploads.finish(session, digest, lastChunk, options),
    cancelUpload: (session, options) => uploads.cancel(session, options),
    putManifest: (repository, reference, manifest, options) =>
      content.putManifest(repository, reference, manifest, options),
    deleteManifest: (repository, reference, options) =>
      content.deleteManifest(repository, reference, options),
    deleteBlob: (repository, digest, options) => content.deleteBlob(repository, digest, options),
  };
}
