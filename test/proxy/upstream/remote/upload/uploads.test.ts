import { beforeEach, describe, expect, it } from 'vitest';
import type { Chunk, PushTarget, UploadProgress } from '../../../../../src/proxy/upstream/index.ts';
import {
  type ConnectOptions,
  connect,
  credentialOf,
  REPOSITORY,
  repositoryName,
  signal,
} from '../../support/connect.ts';
import { sha256 } from '../../support/fake-registry.ts';
import { startTokenServer } from '../../support/token-server.ts';
import { pieces, startUploadRegistry, type UploadRegistry } from '../../support/upload-registry.ts';

const CONTENT = Buffer.from('the bytes of a layer');
const DIGEST = sha256(CONTENT);

let registry: UploadRegistry;
let target: PushTarget;

beforeEach(async () => {
  registry = await startUploadRegistry();
  target = targetOf(registry.origin);
});

function targetOf(url: string, options: ConnectOptions = {}): PushTarget {
  const { push } = connect(url, options).upstream;
  if (!push) throw new Error('a registry takes pushes');
  return push;
}

async function start(on = target): Promise<UploadProgress> {
  const started = await on.startUpload(REPOSITORY, { signal: signal() });
  if (started.type !== 'started') throw new Error('nothing was to be mounted');
  return started.progress;
}

function chunk(content: Buffer, more: Partial<Chunk> = {}): Chunk {
  return { sizeBytes: content.length, bytes: pieces(content), range: undefined, mayEndEarly: false, ...more };
}

function pathsOf(method: string): string[] {
  return registry.requests.filter((request) => request.method === method).map(({ path }) => path);
}

describe('an upload', () => {
  it('in one piece', async () => {
    const { session } = await start();
    await target.finishUpload(session, DIGEST, chunk(CONTENT), { signal: signal() });
    expect(registry.blobs.get(DIGEST)).toEqual(CONTENT);
    const put = registry.requests.find(({ method }) => method === 'PUT');
    expect(put?.headers['content-length']).toBe(String(CONTENT.length));
  });

  it('in chunks, with progress', async () => {
    let progress = await start();
    for (const part of [CONTENT.subarray(0, 7), CONTENT.subarray(7)]) {
      progress = await target.sendChunk(progress.session, chunk(part), { signal: signal() });
    }
    expect(progress).toMatchObject({ lastByte: CONTENT.length - 1, uuid: '1', minimumChunkBytes: undefined });
    expect(await target.uploadProgress(progress.session, { signal: signal() })).toEqual(progress);
    await target.finishUpload(progress.session, DIGEST, undefined, { signal: signal() });
    expect(registry.blobs.get(DIGEST)).toEqual(CONTENT);
  });

  it('passes on where a chunk belongs, unless it may end early', async () => {
    const { session } = await start();
    const range = { start: 0, end: CONTENT.length - 1 };
    await target.sendChunk(session, chunk(CONTENT, { range }), { signal: signal() });
    await target.sendChunk(session, chunk(CONTENT, { range, mayEndEarly: true }), { signal: signal() });
    const [said, unsaid] = registry.requests.filter(({ method }) => method === 'PATCH');
    expect(said?.headers).toMatchObject({ 'content-range': '0-19', 'content-length': '20' });
    expect(unsaid?.headers).toMatchObject({ 'transfer-encoding': 'chunked' });
    expect(unsaid?.headers).not.toHaveProperty('content-range');
  });

  it('is cancelled', async () => {
    const { session } = await start();
    await target.cancelUpload(session, { signal: signal() });
    expect(registry.uploads.size).toBe(0);
    await expect(target.uploadProgress(session, { signal: signal() })).rejects.toMatchObject({
      kind: 'rejected',
      rejection: { code: 'BLOB_UPLOAD_UNKNOWN', status: 404 },
    });
  });

  it('with the digest of something else is refused in the words of the registry', async () => {
    const { session } = await start();
    const wrong = sha256('something else');
    await expect(
      target.finishUpload(session, wrong, chunk(CONTENT), { signal: signal() }),
    ).rejects.toMatchObject({ kind: 'rejected', rejection: { code: 'DIGEST_INVALID', status: 400 } });
  });

  it('says no more of a refusal than its code', async () => {
    const secret = 'acme/internal-name';
    registry.script((_request, response) => {
      response.writeHead(400).end(JSON.stringify({ errors: [{ code: 'NAME_INVALID', message: secret }] }));
    });
    const error: unknown = await start().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: 'rejected', rejection: { code: 'NAME_INVALID', status: 400 } });
    expect(String(error)).not.toContain(secret);
  });

  it.each([
    [403, 'rejected', 'DENIED', 403],
    [404, 'rejected', 'NAME_UNKNOWN', 404],
    [405, 'rejected', 'UNSUPPORTED', 405],
    [412, 'rejected', 'DENIED', 403],
    [413, 'rejected', 'SIZE_INVALID', 413],
    [500, 'faulty', undefined, undefined],
  ])('that is answered with a bare %i is %s', async (status, kind, code, told) => {
    registry.script((_request, response) => void response.writeHead(status).end());
    const error: unknown = await start().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind });
    expect((error as { rejection?: unknown }).rejection).toEqual(code && { code, status: told });
  });

  it('passes on the smallest chunk, and nothing that is no number', async () => {
    registry.script((_request, response) => {
      response.writeHead(202, {
        location: '/x',
        'oci-chunk-min-length': '5242880',
        'docker-upload-uuid': 'a b',
      });
      response.end();
    });
    expect(await start()).toMatchObject({ minimumChunkBytes: 5242880, uuid: undefined });
  });
});

describe('a mount', () => {
  const mount = { digest: DIGEST, from: repositoryName('team/other') };

  it('is asked for with both names, by a token for both', async () => {
    const tokens = await startTokenServer('robot', 'secret');
    registry.login = { type: 'bearer', realm: tokens.realm, accepts: () => true };
    registry.script((request, response) => {
      if (!request.headers.authorization) return false;
      response.writeHead(201, { location: '/v2/team/app/blobs/x' }).end();
      return true;
    });
    const on = targetOf(registry.origin, {
      realms: [tokens.origin],
      credential: () => credentialOf('robot', 'secret'),
    });
    expect(await on.startUpload(REPOSITORY, { mount, signal: signal() })).toEqual({ type: 'mounted' });
    expect(pathsOf('POST').at(-1)).toBe(
      `/v2/team/app/blobs/uploads/?mount=${encodeURIComponent(DIGEST)}&from=team%2Fother`,
    );
    expect(new URL(tokens.requests[0]?.path ?? '', 'http://t').searchParams.getAll('scope')).toEqual([
      'repository:team/app:pull,push',
      'repository:team/other:pull',
    ]);
  });

  it('that the registry will not do is an upload', async () => {
    registry.script((request, response) => {
      if (!request.url?.includes('mount=')) return false;
      response.writeHead(403).end();
      return true;
    });
    const started = await target.startUpload(REPOSITORY, { mount, signal: signal() });
    expect(started).toMatchObject({ type: 'started', progress: { session: { repository: REPOSITORY } } });
  });
});

describe('the login', () => {
  async function withTokens(): Promise<{
    tokens: Awaited<ReturnType<typeof startTokenServer>>;
    on: PushTarget;
  }> {
    const tokens = await startTokenServer('robot', 'secret');
    registry.login = { type: 'bearer', realm: tokens.realm, accepts: tokens.accepts };
    const credential = () => credentialOf('robot', 'secret');
    return { tokens, on: targetOf(registry.origin, { realms: [tokens.origin], credential }) };
  }

  it('is out of the way before a body flows, also where this proxy did not start the upload', async () => {
    const { on } = await withTokens();
    registry.uploads.set('9', Buffer.alloc(0));
    const session = { repository: REPOSITORY, location: '/v2/team/app/blobs/uploads/9' };
    await on.sendChunk(session, chunk(CONTENT), { signal: signal() });
    expect(registry.uploads.get('9')).toEqual(CONTENT);
    expect(pathsOf('PATCH')).toHaveLength(1);
  });

  it('that has ended between two chunks is renewed, and the chunk is sent once', async () => {
    const { tokens, on } = await withTokens();
    const { session } = await start(on);
    tokens.revokeAll();
    await on.sendChunk(session, chunk(CONTENT), { signal: signal() });
    expect(registry.uploads.get('1')).toEqual(CONTENT);
    // The first was turned away before its body was sent.
    expect(registry.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(2);
  });

  it('that ends while a body is on its way is a fault to try again after, not a refusal', async () => {
    const { tokens, on } = await withTokens();
    registry.asksForBodies = 'at once';
    const { session } = await start(on);
    tokens.revokeAll();
    await expect(on.sendChunk(session, chunk(CONTENT), { signal: signal() })).rejects.toMatchObject({
      kind: 'unreachable',
    });
    // By then there is a new one.
    await on.sendChunk(session, chunk(CONTENT), { signal: signal() });
    expect(registry.uploads.get('1')).toEqual(CONTENT);
  });

  it('asks for pull and push to push, and for delete to delete', async () => {
    const { tokens, on } = await withTokens();
    registry.blobs.set(DIGEST, CONTENT);
    await start(on);
    await on.deleteBlob(REPOSITORY, DIGEST, { signal: signal() });
    const scopes = tokens.requests.map(({ path }) => new URL(path, 'http://t').searchParams.get('scope'));
    expect(scopes).toEqual(['repository:team/app:pull,push', 'repository:team/app:delete']);
    expect(registry.blobs.size).toBe(0);
  });
});
