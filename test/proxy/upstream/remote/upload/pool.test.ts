import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { createPool } from '../../../../../src/credentials/pool.ts';
import { createFixedProvider } from '../../../../../src/credentials/static.ts';
import { mediaTypes, parseReference } from '../../../../../src/oci/index.ts';
import type { Chunk, PushTarget, UploadSession } from '../../../../../src/proxy/upstream/index.ts';
import { connect, credentialOf, REPOSITORY, signal } from '../../support/connect.ts';
import { SAMPLE_MANIFEST, sha256 } from '../../support/fake-registry.ts';
import { pieces, startUploadRegistry, type UploadRegistry } from '../../support/upload-registry.ts';

const CONTENT = Buffer.from('the bytes of a layer');

/** What the registry answers to a member of the pool, by method and user. */
type Refusal = { readonly status: number; readonly headers?: Record<string, string> };

let registry: UploadRegistry;
let push: PushTarget;
let refusals: Record<string, Refusal>;
/** Refuses only after the whole body has come. */
let late: boolean;

beforeEach(async () => {
  refusals = {};
  late = false;
  registry = await startUploadRegistry();
  registry.script((request, response) => {
    const user = userOf(request.headers.authorization);
    const refusal =
      user === undefined
        ? { status: 401, headers: { 'www-authenticate': 'Basic realm="registry"' } }
        : refusals[`${request.method} ${user}`];
    if (!refusal) return false;
    const answer = () => response.writeHead(refusal.status, refusal.headers).end('{"errors":[]}');
    if (!late || user === undefined) answer();
    else {
      response.writeContinue();
      text(request).then(answer, () => {});
    }
    return true;
  });
  const members = ['one', 'two'].map((user) => createFixedProvider('test', credentialOf(user, 'canary')));
  const { upstream } = connect(registry.origin, { provider: createPool(members) });
  if (!upstream.push) throw new Error('a registry takes pushes');
  push = upstream.push;
});

function userOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  return Buffer.from(authorization.slice('Basic '.length), 'base64').toString().split(':')[0];
}

/** Who asked, with which method, in order; without the very first question. */
function asked(method: string): (string | undefined)[] {
  return registry.requests
    .filter((request) => request.method === method)
    .map(({ headers }) => userOf(headers.authorization))
    .filter((user) => user !== undefined);
}

async function start(): Promise<UploadSession> {
  const started = await push.startUpload(REPOSITORY, { signal: signal() });
  if (started.type !== 'started') throw new Error('nothing was to be mounted');
  return started.progress.session;
}

const chunk = (): Chunk => ({
  sizeBytes: CONTENT.length,
  bytes: pieces(CONTENT),
  range: undefined,
  mayEndEarly: false,
});

describe('with a pool of credentials', () => {
  it.each([403, 429])('an upload that one may not start (%i) is started with the next', async (status) => {
    refusals['POST one'] = { status };
    await start();
    expect(asked('POST')).toEqual(['one', 'two']);
  });

  it('a manifest is stored, and deleted, with the one that may', async () => {
    refusals['PUT one'] = { status: 403 };
    refusals['DELETE one'] = { status: 403 };
    const content = Buffer.from(SAMPLE_MANIFEST);
    const manifest = { content, mediaType: mediaTypes.OCI_MANIFEST, digest: sha256(content), tags: [] };
    const latest = parseReference('latest');
    if (!latest) throw new Error('no reference');
    await push.putManifest(REPOSITORY, latest, manifest, { signal: signal() });
    await push.deleteManifest(REPOSITORY, latest, { signal: signal() });
    expect(asked('PUT')).toEqual(['one', 'two']);
    expect(asked('DELETE')).toEqual(['one', 'two']);
  });

  it('a body that is refused before it flows goes out with the next', async () => {
    refusals['PATCH one'] = { status: 403 };
    registry.asksForBodies = 'when wanted';
    const session = await start();
    await push.sendChunk(session, chunk(), { signal: signal() });
    expect(asked('PATCH')).toEqual(['one', 'two']);
    expect([...registry.uploads.values()]).toEqual([CONTENT]);
  });

  it.each([
    [403, { kind: 'rejected', rejection: { code: 'DENIED', status: 403 } }],
    [429, { kind: 'rate-limited', retryAfter: '60' }],
    [401, { kind: 'refused' }],
  ])('a body that has flowed is sent once, and %i is the answer', async (status, error) => {
    const session = await start();
    refusals['PATCH one'] = {
      status,
      headers: { 'retry-after': '60', 'www-authenticate': 'Basic realm="registry"' },
    };
    late = true;
    await expect(push.sendChunk(session, chunk(), { signal: signal() })).rejects.toMatchObject(error);
    expect(asked('PATCH')).toEqual(['one']);
  });
});
