import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Digest, mediaTypes, parseDigest } from '../../../../src/oci/index.ts';
import type { IssuedCertificate } from '../../../support/certificates.ts';
import { startServer, type TestServer } from './server.ts';

/** Answers a request in the registry's place; false leaves it to the registry. */
export type Script = (request: IncomingMessage, response: ServerResponse) => boolean | undefined;

/** What a client has to show before it is served. */
export type Login =
  | { readonly type: 'none' }
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly type: 'bearer';
      readonly realm: string;
      readonly accepts: (token: string, scope: string) => boolean;
    };

/** A registry in memory that speaks the distribution protocol, and does what a script tells it before. */
export interface FakeRegistry extends TestServer {
  login: Login;
  addBlob(content: Buffer): Digest;
  addManifest(content: string | Buffer, mediaType: string, tag?: string): Digest;
  /** Scripts are asked in order, each time; the first that does not answer false is the answer. */
  script(script: Script): void;
  /** The same, for so many requests whose path holds this text. */
  next(
    times: number,
    path: string,
    script: (request: IncomingMessage, response: ServerResponse) => void,
  ): void;
}

/** One repository, `team/app`, is all it has. */
export const REPOSITORY_PATH = '/v2/team/app';

export async function startFakeRegistry(certificate?: IssuedCertificate): Promise<FakeRegistry> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, { content: Buffer; mediaType: string; digest: Digest }>();
  const scripts: Script[] = [];

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (scripts.some((script) => script(request, response) !== false)) return;
    const url = new URL(request.url ?? '', 'http://registry');
    if (!isLoggedIn(registry.login, request, response)) return;
    const [, kind, name = ''] = /^\/v2\/team\/app\/(blobs|manifests)\/(.+)$/.exec(url.pathname) ?? [];
    const blob = kind === 'blobs' ? blobs.get(name) : undefined;
    const manifest = kind === 'manifests' ? manifests.get(name) : undefined;
    if (blob) sendBlob(blob, request, response);
    else if (manifest) {
      response.writeHead(200, {
        'content-type': manifest.mediaType,
        'content-length': manifest.content.length,
        'docker-content-digest': manifest.digest,
      });
      response.end(request.method === 'HEAD' ? undefined : manifest.content);
    } else sendError(response, 404, 'NAME_UNKNOWN');
  };

  const server = await startServer(answer, certificate);
  const registry: FakeRegistry = Object.assign(Object.create(server) as TestServer, {
    login: { type: 'none' } as Login,
    addBlob: (content: Buffer) => {
      const digest = sha256(content);
      blobs.set(digest, content);
      return digest;
    },
    addManifest: (text: string | Buffer, mediaType: string, tag?: string) => {
      const content = Buffer.from(text);
      const digest = sha256(content);
      const manifest = { content, mediaType, digest };
      manifests.set(digest, manifest);
      if (tag !== undefined) manifests.set(tag, manifest);
      return digest;
    },
    script: (script: Script) => void scripts.push(script),
    next: (
      times: number,
      path: string,
      act: (request: IncomingMessage, response: ServerResponse) => void,
    ) => {
      let left = times;
      scripts.push((request, response) => {
        if (left === 0 || !request.url?.includes(path)) return false;
        left -= 1;
        act(request, response);
        return true;
      });
    },
  });
  return registry;
}

export function sha256(content: Buffer | string): Digest {
  const digest = parseDigest(`sha256:${createHash('sha256').update(content).digest('hex')}`);
  if (!digest) throw new Error('no digest');
  return digest;
}

/** Bytes that no two places of share. */
export function content(sizeBytes: number): Buffer {
  return randomBytes(sizeBytes);
}

export const SAMPLE_MANIFEST = JSON.stringify({
  schemaVersion: 2,
  mediaType: mediaTypes.OCI_MANIFEST,
  config: { mediaType: mediaTypes.OCI_CONFIG, digest: sha256('{}'), size: 2 },
  layers: [],
});

export function sendError(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: code }] }));
}

/** Sends a blob as a registry does that honours closed and open ranges. */
export function sendBlob(blob: Buffer, request: IncomingMessage, response: ServerResponse): void {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const type = { 'content-type': 'application/octet-stream' };
  if (first === undefined) {
    response.writeHead(200, { ...type, 'content-length': blob.length });
    response.end(request.method === 'HEAD' ? undefined : blob);
    return;
  }
  const start = Number(first);
  const end = Math.min(blob.length - 1, last ? Number(last) : Number.POSITIVE_INFINITY);
  if (start >= blob.length) {
    response.writeHead(416, { 'content-range': `bytes */${blob.length}` }).end();
    return;
  }
  response.writeHead(206, {
    ...type,
    'content-length': end - start + 1,
    'content-range': `bytes ${start}-${end}/${blob.length}`,
  });
  response.end(blob.subarray(start, end + 1));
}

/** Promises the whole of a blob, sends `count` bytes of it, and resets the connection. */
export function sendThenReset(blob: Buffer, count: number, response: ServerResponse): void {
  response.writeHead(200, { 'content-length': blob.length });
  response.write(blob.subarray(0, count), () => response.socket?.resetAndDestroy());
}

function isLoggedIn(login: Login, request: IncomingMessage, response: ServerResponse): boolean {
  const shown = request.headers.authorization;
  const scope = 'repository:team/app:pull';
  if (login.type === 'none') return true;
  if (login.type === 'basic') {
    const right = Buffer.from(`${login.username}:${login.password}`).toString('base64');
    if (shown === `Basic ${right}`) return true;
    response.setHeader('www-authenticate', 'Basic realm="registry"');
  } else {
    if (shown?.startsWith('Bearer ') && login.accepts(shown.slice(7), scope)) return true;
    response.setHeader(
      'www-authenticate',
      `Bearer realm="${login.realm}",service="registry",scope="${scope}"`,
    );
  }
  sendError(response, 401, 'UNAUTHORIZED');
  return false;
}
