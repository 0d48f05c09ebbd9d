import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Blob, digestOf, type StreamedBlob } from './layers.ts';

/** A registry that takes pushes. */
export interface PushTarget {
  readonly url: string;
  /** The Authorization header, when it wants one. */
  readonly authorization?: string;
}

/** Pushes a blob in one piece. */
export async function pushBlob(target: PushTarget, repository: string, blob: Blob): Promise<void> {
  const location = await startUpload(target, repository);
  await finishUpload(target, location, blob.digest, blob.bytes);
}

/** Pushes a blob while it is made. @returns its digest */
export async function pushStreamedBlob(
  target: PushTarget,
  repository: string,
  blob: StreamedBlob,
): Promise<string> {
  const hash = createHash('sha256');
  function* hashed() {
    for (const chunk of blob.chunks()) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const response = await send(target, 'PATCH', await startUpload(target, repository), {
    headers: { 'content-type': 'application/octet-stream' },
    body: Readable.toWeb(Readable.from(hashed())) as ReadableStream,
    duplex: 'half',
  });
  const digest = `sha256:${hash.digest('hex')}`;
  await finishUpload(target, uploadLocation(target, response), digest);
  return digest;
}

/** Pushes a manifest under a tag, or under its digest. @returns its digest */
export async function pushManifest(
  target: PushTarget,
  repository: string,
  manifest: string,
  mediaType: string,
  tag?: string,
): Promise<string> {
  const digest = digestOf(manifest);
  await send(target, 'PUT', `${target.url}/v2/${repository}/manifests/${tag ?? digest}`, {
    headers: { 'content-type': mediaType },
    body: manifest,
  });
  return digest;
}

async function startUpload(target: PushTarget, repository: string): Promise<string> {
  const response = await send(target, 'POST', `${target.url}/v2/${repository}/blobs/uploads/`, {});
  return uploadLocation(target, response);
}

async function finishUpload(target: PushTarget, location: string, digest: string, body?: Buffer) {
  const url = new URL(location);
  url.searchParams.set('digest', digest);
  await send(target, 'PUT', url.href, {
    headers: { 'content-type': 'application/octet-stream' },
    ...(body && { body: new Uint8Array(body) }),
  });
}

function uploadLocation(target: PushTarget, response: Response): string {
  return new URL(response.headers.get('location') ?? '', target.url).href;
}

async function send(
  { authorization }: PushTarget,
  method: string,
  url: string,
  init: RequestInit & { duplex?: 'half' },
): Promise<Response> {
  const response = await fetch(url, {
    ...init,
    method,
    headers: { ...(init.headers as Record<string, string>), ...(authorization && { authorization }) },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text}`);
  return response;
}
