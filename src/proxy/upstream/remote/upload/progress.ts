import type { RepositoryName } from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { UploadProgress, UploadSession } from '../../push-target.ts';
import type { SmallAnswer } from '../answers/index.ts';
import { readLocation } from './upload-location.ts';

const UUID = /^[A-Za-z0-9._=~-]{1,255}$/;
const RANGE = /^(?:bytes=)?0-(\d{1,15})$/;
const LENGTH = /^\d{1,15}$/;

export interface ProgressContext {
  /** What was asked. */
  readonly from: URL;
  readonly registry: URL;
  readonly redirects: readonly string[];
  readonly repository: RepositoryName;
  /** Where the upload was before this answer; it goes on there when the answer does not say. */
  readonly before: UploadSession | undefined;
}

/**
 * What a step's answer says about the upload.
 * @throws {UpstreamError} `faulty` without a place to go on, `unsafe` for one that must not be used
 */
export function readProgress({ headers }: SmallAnswer, context: ProgressContext): UploadProgress {
  const { from, registry, redirects, repository, before } = context;
  const header = headers.get('location');
  if (header === undefined && !before) {
    throw new UpstreamError('faulty', `an upload to ${repository} was started, and nobody knows where`);
  }
  const session =
    header === undefined && before
      ? before
      : { repository, location: readLocation(header, from, registry, redirects) };
  const uuid = headers.get('docker-upload-uuid');
  const minimum = headers.get('oci-chunk-min-length');
  const lastByte = RANGE.exec(headers.get('range') ?? '')?.[1];
  return {
    session,
    lastByte: lastByte === undefined ? undefined : Number(lastByte),
    uuid: uuid !== undefined && UUID.test(uuid) ? uuid : undefined,
    minimumChunkBytes: minimum !== undefined && LENGTH.test(minimum) ? Number(minimum) : undefined,
  };
}
