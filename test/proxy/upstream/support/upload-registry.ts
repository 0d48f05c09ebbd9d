import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { IssuedCertificate } from '../../../support/certificates.ts';
import type { Login, Script } from './fake-registry.ts';
import { sha256 } from './fake-registry.ts';
import { startServer, type TestServer } from './server.ts';

/** A registry in memory that takes pushes, in the manner that a test tells it. */
export interface UploadRegistry extends TestServer {
  login: Login;
  /** Where an upload goes on, from its path and how many bytes are there. A path when missing. */
  locationOf: (path: string, sizeBytes: number) => string;
  /** When a client is asked for the body that it holds back (`Expect: 100-continue`). */
  asksForBodies: 'when wanted' | 'at once' | 'never';
  /** Whether answers say how much is there. */
  saysRange: boolean;
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, { readonly content: Buffer; readonly type: string }>;
  readonly uploads: Map<string, Buffer>;
  /** Asked first, each time; the first that does not answer false is the answer. */
  script(script: Script): void;
}

const UPLOAD = /^\/v2\/team\/app\/blobs\/uploads\/(\d+)$/;

export async function startUploadRegistry(certificate?: IssuedCertificate): Promise<UploadRegistry> {
  const scripts: Script[] = [];
  const blobs: UploadRegistry['blobs'] = new Map();
  const manifests: UploadRegistry['manifests'] = new Map();
  const uploads: UploadRegistry['uploads'] = new Map();
  let serial = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers.expect && registry.asksForBodies === 'at once') response.writeContinue();
    if (scripts.some((script) => script(request, response) !== false)) return;
    if (!registry.isLetIn(request, response)) return;
    const url = new URL(request.url ?? '', 'http://registry');
    if (request.method === 'POST' && url.pathname === '/v2/team/app/blobs/uploads/') {
      serial += 1;
      uploads.set(String(serial), Buffer.alloc(0));
      response.writeHead(202, step(String(serial))).end();
      return;
    }
    const id = UPLOAD.exec(url.pathname)?.[1];
    if (id !== undefined) return answerUpload(id, url, request, response);
    const [, kind, reference = ''] = /^\/v2\/team\/app\/(manifests|blobs)\/(.+)$/.exec(url.pathname) ?? [];
    if (kind === 'manifests' && request.method === 'PUT') {
      const content = await bodyOf(request, response);
      manifests.set(reference, { content, type: request.headers['content-type'] ?? '' });
      response.writeHead(201, { 'docker-content-digest': sha256(content) }).end();
      return;
    }
    const known = kind === 'manifests' ? manifests : blobs;
    if (request.method === 'DELETE' && known.delete(reference)) response.writeHead(202).end();
    else response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[]}');
  }

  async function answerUpload(id: string, url: URL, request: IncomingMessage, response: ServerResponse) {
    const before = uploads.get(id);
    if (!before) {
      response.writeHead(404).end('{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');
      return;
    }
    if (request.method === 'GET') response.writeHead(204, step(id)).end();
    else if (request.method === 'DELETE') {
      uploads.delete(id);
      response.writeHead(204).end();
    } else {
      const content = Buffer.concat([before, await bodyOf(request, response)]);
      if (request.method === 'PATCH') {
        uploads.set(id, content);
        response.writeHead(202, step(id)).end();
      } else if (url.searchParams.get('digest') === sha256(content)) {
        uploads.delete(id);
        blobs.set(sha256(content), content);
        response.writeHead(201, { 'docker-content-digest': sha256(content) }).end();
      } else response.writeHead(400).end('{"errors":[{"code":"DIGEST_INVALID"}]}');
    }
  }

  function bodyOf(request: IncomingMessage, response: ServerResponse): Promise<Buffer> {
    if (request.headers.expect && registry.asksForBodies === 'when wanted') response.writeContinue();
    return buffer(request);
  }

  function step(id: string): Record<string, string> {
    const size = uploads.get(id)?.length ?? 0;
    return {
      location: registry.locationOf(`/v2/team/app/blobs/uploads/${id}`, size),
      'docker-upload-uuid': id,
      ...(registry.saysRange && { range: `0-${Math.max(0, size - 1)}` }),
    };
  }

  const server = await startServer((request, response) => {
    // A connection that a test breaks is no fault of this registry.
    answer(request, response).catch(() => response.destroy());
  }, certificate);
  const registry = Object.assign(Object.create(server) as TestServer, {
    login: { type: 'none' } as Login,
    locationOf: (path: string, _sizeBytes: number) => path,
    asksForBodies: 'when wanted' as UploadRegistry['asksForBodies'],
    saysRange: true,
    blobs,
    manifests,
    uploads,
    script: (script: Script) => void scripts.push(script),
    isLetIn(request: IncomingMessage, response: ServerResponse): boolean {
      const { login } = registry;
      if (login.type === 'none') return true;
      const shown = request.headers.authorization;
      if (login.type === 'basic') {
        const right = Buffer.from(`${login.username}:${login.password}`).toString('base64');
        if (shown === `Basic ${right}`) return true;
        response.setHeader('www-authenticate', 'Basic realm="registry"');
      } else {
        const action =
          request.method === 'DELETE' && !UPLOAD.test(request.url ?? '') ? 'delete' : 'pull,push';
        const scope = `repository:team/app:${action}`;
        if (shown?.startsWith('Bearer ') && login.accepts(shown.slice(7), scope)) return true;
        response.setHeader('www-authenticate', `Bearer realm="${login.realm}",service="registry"`);
      }
      response.writeHead(401, { connection: 'close' }).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
      return false;
    },
  });
  return registry;
}

/** A body of these pieces. */
export async function* pieces(...content: readonly (string | Buffer)[]): AsyncGenerator<Uint8Array, void> {
  for (const piece of content) yield Buffer.from(piece);
}

/** Waits until a request of this method has come. */
export async function requested(server: TestServer, method: string): Promise<void> {
  while (!server.requests.some((request) => request.method === method)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Reads a body until so many bytes have come, and leaves the rest. */
export async function readSome(request: IncomingMessage, count: number): Promise<void> {
  for (let read = 0; read < count; ) {
    const chunk: Buffer | null = request.read();
    if (chunk) read += chunk.length;
    else await once(request, 'readable');
  }
}
