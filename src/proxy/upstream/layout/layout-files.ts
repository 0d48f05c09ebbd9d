import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readBounded } from '../../../core/index.ts';
import { type Descriptor, isRecord } from '../../../oci/index.ts';
import { UpstreamError } from '../errors.ts';
import { asUpstreamError, openRegular } from './content-file.ts';
import { fileStream } from './file-stream.ts';
import { descriptors, parseJson } from './manifest-links.ts';

const LARGEST_MARKER_BYTES = 4096;
const LARGEST_INDEX_BYTES = 16 * 1024 * 1024;

/** The entries of `index.json`, and the version of the file that they were read from. */
export interface LayoutIndex {
  readonly fingerprint: string;
  readonly entries: readonly Descriptor[];
}

/**
 * Differs whenever another `index.json` lies there. It costs one stat.
 * @throws {UpstreamError} `unreachable` when there is none
 */
export async function indexFingerprint(folder: string): Promise<string> {
  const path = join(folder, 'index.json');
  try {
    return fingerprint(await stat(path, { bigint: true }));
  } catch (error) {
    throw asUpstreamError(error, path, 'unreachable');
  }
}

/**
 * Reads `oci-layout` and `index.json`.
 * @throws {UpstreamError} `unreachable` when one is missing, `faulty` when one is not what it should be
 * @see OCI image layout specification, "oci-layout file" and "index.json file"
 */
export async function readLayoutIndex(folder: string, signal: AbortSignal): Promise<LayoutIndex> {
  const marker = await readJson(folder, 'oci-layout', LARGEST_MARKER_BYTES, signal);
  const version = isRecord(marker.value) ? marker.value.imageLayoutVersion : undefined;
  if (typeof version !== 'string' || !version.startsWith('1.')) {
    throw new UpstreamError('faulty', `${join(folder, 'oci-layout')} names no layout version 1`);
  }
  const index = await readJson(folder, 'index.json', LARGEST_INDEX_BYTES, signal);
  const entries = isRecord(index.value) ? descriptors(index.value.manifests) : undefined;
  if (!entries) throw new UpstreamError('faulty', `${join(folder, 'index.json')} is not an image index`);
  return { fingerprint: index.fingerprint, entries };
}

async function readJson(
  folder: string,
  name: string,
  limitBytes: number,
  signal: AbortSignal,
): Promise<{ value: unknown; fingerprint: string }> {
  const path = join(folder, name);
  const { handle, sizeBytes } = await openRegular(folder, path).catch((error: unknown) => {
    throw asUpstreamError(error, path, 'unreachable');
  });
  try {
    if (sizeBytes > limitBytes)
      throw new UpstreamError('faulty', `${path} is larger than ${limitBytes} bytes`);
    const version = fingerprint(await handle.stat({ bigint: true }));
    const body = fileStream(async () => handle, { start: 0, end: sizeBytes - 1 }, signal);
    return { value: parseJson(await readBounded(body, limitBytes)), fingerprint: version };
  } finally {
    await handle.close();
  }
}

function fingerprint({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs].join(':');
}
