import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { onTestFinished } from 'vitest';
import { readBounded } from '../../../src/core/index.ts';
import { parseDigest, parseReference, parseRepositoryName } from '../../../src/oci/index.ts';
import { createLayoutUpstream } from '../../../src/proxy/upstream/layout/index.ts';
import { createLogger } from '../../../src/telemetry/index.ts';

/** What the fake gets wrong, if anything. */
export interface Faults {
  readonly realm?: string;
  /** Changes an answer's content on its way out. */
  readonly spoil?: (path: string, content: Buffer) => Buffer;
  readonly ping?: number;
}

export interface FakeRegistry {
  readonly url: string;
  /** Method, path and credential of each request. */
  readonly seen: readonly string[];
}

const SIGNAL = new AbortController().signal;

/** A registry over a layout that gives `user:password` tokens for everything but what is called `payroll`. */
export async function startFakeRegistry(
  layout: string,
  user: string,
  faults: Faults = {},
): Promise<FakeRegistry> {
  const upstream = createLayoutUpstream('fake', layout, { log: createLogger('silent', new PassThrough()) });
  const seen: string[] = [];
  const expected = `Basic ${Buffer.from(user).toString('base64')}`;

  const answer = async (request: IncomingMessage): Promise<[number, Record<string, string>, Buffer]> => {
    const { pathname, searchParams } = new URL(request.url ?? '', url);
    const { authorization } = request.headers;
    if (pathname === '/v2/') {
      const challenge = `Bearer realm="${faults.realm ?? `${url}/token`}",service="fake"`;
      return [faults.ping ?? 401, { 'www-authenticate': challenge }, Buffer.from('{"errors":[]}')];
    }
    if (pathname === '/token') {
      if (authorization !== expected) return refusal(401, 'UNAUTHORIZED');
      return [200, {}, Buffer.from(JSON.stringify({ token: searchParams.get('scope') }))];
    }
    const [, name = '', kind, id = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(pathname) ?? [];
    const repository = parseRepositoryName(name);
    const reference = parseReference(id);
    const digest = parseDigest(id);
    if (authorization !== `Bearer repository:${name}:pull` || name === 'payroll')
      return refusal(403, 'DENIED');
    if (kind === 'blobs' && repository && digest) {
      const blob = await upstream.blob(repository, digest, { signal: SIGNAL, delivery: 'stream' });
      if (blob.type === 'content') return [200, {}, await readBounded(blob.body, 1e6)];
    }
    if (kind === 'manifests' && repository && reference) {
      const manifest = await upstream.manifest(repository, reference, { signal: SIGNAL, accept: [] });
      return [
        200,
        { 'content-type': manifest.mediaType, 'docker-content-digest': manifest.digest },
        manifest.content,
      ];
    }
    return refusal(404, 'NAME_UNKNOWN');
  };

  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    seen.push(`${request.method} ${path} ${request.headers.authorization ?? '-'}`);
    answer(request).then(
      ([status, headers, content]) =>
        response.writeHead(status, headers).end(faults.spoil?.(path, content) ?? content),
      (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url, seen };
}

function refusal(status: number, code: string): [number, Record<string, string>, Buffer] {
  return [status, {}, Buffer.from(JSON.stringify({ errors: [{ code, message: 'no' }] }))];
}
