import { parseChunkRange, RegistryError } from '../../../../oci/index.ts';
import type { Chunk } from '../../../upstream/index.ts';
import type { RegistryRequest } from '../../request.ts';
import type { UploadStep } from '../../upload-sessions.ts';

/**
 * Where a chunk says that it belongs. Some registries take any chunk as the next one, so that is checked here.
 * @throws {RegistryError} RANGE_INVALID for one that does not follow what is there, SIZE_INVALID for one of another length
 */
export function readChunkRange({ headers, body }: RegistryRequest, { offset }: UploadStep): Chunk['range'] {
  const header = headers['content-range'];
  if (header === undefined) return undefined;
  const range = parseChunkRange(header);
  if (!range) throw new RegistryError('RANGE_INVALID', 'Content-Range has to be start-end', { status: 400 });
  if (offset !== undefined && range.start !== offset) {
    throw new RegistryError('RANGE_INVALID', 'the chunk does not follow what is there', {
      headers: { Range: `0-${Math.max(0, offset - 1)}` },
    });
  }
  if (body.sizeBytes !== undefined && body.sizeBytes !== range.end - range.start + 1) {
    throw new RegistryError('SIZE_INVALID', 'the chunk has another length than its Content-Range', {
      status: 400,
    });
  }
  return range;
}
