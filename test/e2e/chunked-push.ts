import { createHash } from 'node:crypto';
import { request } from 'node:http';
import type { StreamedBlob } from '../support/layers.ts';
import { withDigest } from './conformance/client.ts';

/** A push of one blob in chunks, which its connection breaks in. */
export interface ChunkedPush {
  readonly url: string;
  readonly repository: string;
  readonly authorization: string;
  readonly blob: StreamedBlob;
  readonly chunkBytes: number;
  /** The connection is cut in the middle of each of these chunks, counted from 0. */
  readonly cutIn: readonly number[];
  /** Between two chunks; undefined: nothing happens. */
  readonly between?: (number: number) => Promise<void>;
}

/** How it went. */
export interface PushedInChunks {
  readonly digest: string;
  /** How much was there after each cut, as the registry said. */
  readonly resumedAt: readonly number[];
}

interface Progress {
  readonly location: string;
  /** How many bytes are there. */
  readonly offset: number;
}

/** Sends a blob chunk by chunk; after a cut it asks how much is there, and goes on behind that. */
export async function pushInChunks(push: ChunkedPush): Promise<PushedInChunks> {
  const hash = createHash('sha256');
  const resumedAt: number[] = [];
  let progress = await startUpload(push);
  let number = 0;
  for (const chunk of chunksOf(push.blob, push.chunkBytes)) {
    hash.update(chunk);
    const start = progress.offset;
    if (push.cutIn.includes(number)) {
      await sendHalf(push, progress, chunk);
      progress = await askProgress(push, progress.location);
      resumedAt.push(progress.offset);
    }
    progress = await sendChunk(push, progress, chunk.subarray(progress.offset - start));
    await push.between?.(number);
    number += 1;
  }
  const digest = `sha256:${hash.digest('hex')}`;
  const url = withDigest(progress.location, digest);
  const answer = await fetch(url, { method: 'PUT', headers: { authorization: push.authorization } });
  if (answer.status !== 201)
    throw new Error(`the end was answered with ${answer.status}: ${await answer.text()}`);
  return { digest, resumedAt };
}

async function startUpload({ url, repository, authorization }: ChunkedPush): Promise<Progress> {
  const answer = await fetch(`${url}/v2/${repository}/blobs/uploads/`, {
    method: 'POST',
    headers: { authorization },
  });
  return { location: locationOf(answer, url), offset: 0 };
}

async function askProgress({ url, authorization }: ChunkedPush, location: string): Promise<Progress> {
  const answer = await fetch(location, { headers: { authorization } });
  if (answer.status !== 204) throw new Error(`progress was ${answer.status}: ${await answer.text()}`);
  return progressOf(answer, url);
}

async function sendChunk(
  { url, authorization }: ChunkedPush,
  at: Progress,
  chunk: Buffer,
): Promise<Progress> {
  const answer = await fetch(at.location, {
    method: 'PATCH',
    headers: { ...chunkHeaders(at.offset, chunk.length), authorization },
    body: new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.length),
  });
  if (answer.status !== 202)
    throw new Error(`a chunk was answered with ${answer.status}: ${await answer.text()}`);
  return progressOf(answer, url);
}

/** Promises a chunk, sends half of it, and is gone. */
function sendHalf({ authorization }: ChunkedPush, at: Progress, chunk: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const message = request(at.location, {
      method: 'PATCH',
      headers: { ...chunkHeaders(at.offset, chunk.length), 'content-length': chunk.length, authorization },
      agent: false,
    });
    message.on('error', () => {});
    message.on('close', resolve);
    message.write(chunk.subarray(0, chunk.length / 2), () => message.destroy());
  });
}

function chunkHeaders(start: number, length: number): Record<string, string> {
  return {
    'content-type': 'application/octet-stream',
    'content-range': `${start}-${start + length - 1}`,
  };
}

function progressOf(answer: Response, url: string): Progress {
  const last = /^0-(\d+)$/.exec(answer.headers.get('range') ?? '')?.[1];
  return { location: locationOf(answer, url), offset: Number(last) + 1 };
}

function locationOf(answer: Response, url: string): string {
  return new URL(answer.headers.get('location') ?? '', url).href;
}

function* chunksOf(blob: StreamedBlob, chunkBytes: number): Generator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  for (const part of blob.chunks()) {
    parts.push(part);
    length += part.length;
    if (length < chunkBytes) continue;
    yield Buffer.concat(parts);
    parts = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(parts);
}
