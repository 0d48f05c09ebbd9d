import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIONS, type Action } from '../../../src/proxy/policy/index.ts';
import { UpstreamError } from '../../../src/proxy/upstream/index.ts';
import { sha256 } from '../upstream/support/fake-registry.ts';
import { memoryUpstream } from './support/memory-upstream.ts';
import { bearer, startRegistry } from './support/start-registry.ts';

const DIGEST = sha256('a blob');
const OTHER = `sha256:${'a'.repeat(64)}`;

/** An upstream that notes who was asked for what, and has nothing. */
function notingUpstream(name = 'memory') {
  const asked: string[] = [];
  const note = (what: string) => async (): Promise<never> => {
    asked.push(what);
    throw new UpstreamError('not-found', 'there is nothing');
  };
  const upstream = memoryUpstream(name, {
    manifest: note('pull'),
    manifestHead: note('pull'),
    blob: note('pull'),
    blobHead: note('pull'),
    tags: note('pull'),
    referrers: note('pull'),
    push: {
      startUpload: note('push'),
      uploadProgress: note('push'),
      sendChunk: note('push'),
      finishUpload: note('push'),
      cancelUpload: note('push'),
      putManifest: note('push'),
      deleteManifest: note('delete'),
      deleteBlob: note('delete'),
    },
  });
  return { upstream, asked };
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const PATHS = [
  '/v2/app/manifests/v1',
  `/v2/app/manifests/${DIGEST}`,
  `/v2/app/blobs/${DIGEST}`,
  '/v2/app/tags/list',
  `/v2/app/referrers/${DIGEST}`,
  '/v2/app/blobs/uploads/',
  `/v2/app/blobs/uploads/?digest=${DIGEST}`,
  '/v2/app/blobs/uploads/session',
];

/** What each method of each path does, said here a second time. */
function actionOf(method: string, path: string): Action | undefined {
  const isUpload = path.includes('/uploads/');
  if (method === 'DELETE' && !isUpload && /manifests|blobs/.test(path)) return 'delete';
  if (isUpload) {
    const methods = path.endsWith('/session') ? ['GET', 'PUT', 'PATCH', 'DELETE'] : ['POST'];
    return methods.includes(method) ? 'push' : undefined;
  }
  if (method === 'PUT' && path.includes('manifests')) return 'push';
  const canHead = /manifests|blobs/.test(path);
  return method === 'GET' || (method === 'HEAD' && canHead) ? 'pull' : undefined;
}

describe('whatever the rules and the token say', () => {
  it('nothing reaches the upstream that is not allowed, covered and open to it', async () => {
    const actions = fc.subarray([...ACTIONS]);
    const settings = fc.record({ rules: actions, token: actions, push: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(settings, async ({ rules, token, push }) => {
        const { upstream, asked } = notingUpstream();
        const registry = await startRegistry({
          upstreams: [upstream],
          routes: [{ upstream: 'memory', push }],
          rules: rules.length > 0 ? [{ name: 'r', repositories: ['app'], actions: rules }] : [],
        });
        try {
          for (const path of PATHS) {
            for (const method of METHODS) {
              asked.length = 0;
              const access = token.map((action) => `app:${action}`);
              const answer = await fetch(registry.url + path, { method, headers: bearer({ access }) });
              await answer.arrayBuffer();
              const action = actionOf(method, path);
              const may = action !== undefined && rules.includes(action) && token.includes(action);
              const told = `${method} ${path} with ${token} where ${rules} and push: ${push}`;
              if (!may || (action !== 'pull' && !push)) expect(asked, told).toEqual([]);
              // A made-up session opens nothing, so it is known without the upstream.
              else if (!path.endsWith('/session') && !(method === 'PUT' && action === 'push'))
                expect(asked, told).toEqual([action]);
              if (action && !rules.includes(action)) expect(answer.status, told).toBe(403);
              else if (action && !token.includes(action)) expect(answer.status, told).toBe(401);
              else if (!action || (action !== 'pull' && !push)) expect(answer.status, told).toBe(405);
            }
          }
        } finally {
          await registry.close();
        }
      }),
      { numRuns: 12 },
    );
  });
});

describe('a mount', () => {
  /** An upstream where `held` is in every repository, and which tells what it was asked to mount. */
  function mountingUpstream(name: string, held: string) {
    const mounts: unknown[] = [];
    const { upstream } = notingUpstream(name);
    const push = upstream.push;
    if (!push) throw new Error('it takes pushes');
    const replaced = memoryUpstream(name, {
      push: {
        ...push,
        async startUpload(repository, { mount }) {
          if (mount) mounts.push({ digest: mount.digest, from: mount.from });
          if (mount?.digest === held) return { type: 'mounted' };
          const session = { repository, location: '/x' };
          const progress = { session, lastByte: undefined, uuid: 'same', minimumChunkBytes: undefined };
          return { type: 'started', progress };
        },
      },
    });
    return { upstream: replaced, mounts };
  }

  async function start(rules: { repositories: string[]; actions: Action[] }[]) {
    const main = mountingUpstream('main', DIGEST);
    const other = mountingUpstream('other', DIGEST);
    const registry = await startRegistry({
      upstreams: [main.upstream, other.upstream],
      routes: [
        { match: { path: 'elsewhere' }, upstream: 'other', push: true },
        { upstream: 'main', repository: 'acme/{name}', push: true },
      ],
      rules: rules.map((rule, number) => ({ name: `rule ${number}`, ...rule })),
    });
    const mount = async (query: string, access?: string[]) => {
      const url = `${registry.url}/v2/own/blobs/uploads/?${query}`;
      const answer = await fetch(url, { method: 'POST', headers: bearer(access && { access }) });
      const location = (answer.headers.get('location') ?? '').replace(/uploads\/.*/, 'uploads/');
      return `${answer.status} ${location} ${await answer.text()}`;
    };
    return { registry, main, other, mount };
  }

  const OWN = { repositories: ['own'], actions: ['push' as const] };
  const SHARED = { repositories: ['shared', 'elsewhere/**'], actions: ['pull' as const] };
  const STARTED = '202 /v2/own/blobs/uploads/ ';
  const MOUNTED = `201 /v2/own/blobs/${DIGEST} `;

  it('of a repository that the caller may pull is passed on, in the names of the upstream', async () => {
    const { registry, main, mount } = await start([OWN, SHARED]);
    expect(await mount(`mount=${DIGEST}&from=shared`)).toBe(MOUNTED);
    expect(await mount(`mount=${OTHER}&from=shared`)).toBe(STARTED);
    expect(main.mounts).toEqual([
      { digest: DIGEST, from: 'acme/shared' },
      { digest: OTHER, from: 'acme/shared' },
    ]);
    await expect
      .poll(() => registry.audit()[0], { timeout: 10_000 })
      .toMatchObject({ mountedFrom: 'shared', reference: DIGEST });
    await registry.close();
  });

  it.each([
    ['a repository that no rule lets the caller pull', 'from=secret', undefined],
    ['a repository that the token is not for', 'from=shared', ['own:push']],
    ['a repository of another upstream', 'from=elsewhere/app', undefined],
    ['nowhere', 'from=', undefined],
    ['what is no name', 'from=../x', undefined],
    ['a place that is not said', '', undefined],
  ])('of %s is an upload like any other, whether the blob is there or not', async (_what, from, access) => {
    const { registry, main, other, mount } = await start([OWN, SHARED]);
    for (const digest of [DIGEST, OTHER])
      expect(await mount(`mount=${digest}&${from}`, access)).toBe(STARTED);
    expect([...main.mounts, ...other.mounts]).toEqual([]);
    await registry.close();
  });

  it('into a repository that the caller may not push to is refused before anything else', async () => {
    const { registry, main, mount } = await start([SHARED, { repositories: ['own'], actions: ['pull'] }]);
    const answers = [DIGEST, OTHER].map((digest) => mount(`mount=${digest}&from=shared`));
    const [one, two] = await Promise.all(answers);
    expect(one).toMatch(/^403 /);
    expect(two).toBe(one);
    expect(main.mounts).toEqual([]);
    await registry.close();
  });
});
