import type { Digest } from '../../../../oci/index.ts';
import type { Answer } from '../../answer.ts';
import type { Push } from '../push.ts';

/** The blob is there. */
export function storedBlob(push: Push, digest: Digest): Answer {
  push.note({ reference: digest });
  return {
    status: 201,
    headers: {
      Location: `/v2/${push.name}/blobs/${digest}`,
      'Docker-Content-Digest': digest,
      'Content-Length': 0,
    },
  };
}
