import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../../../../src/oci/index.ts';
import type { TagPage } from '../../../../../src/proxy/upstream/index.ts';
import { orderedTags } from '../../../../../src/proxy/upstream/remote/listing/ordered-tags.ts';
import { connect, REPOSITORY, signal } from '../../support/connect.ts';
import { sendError, sha256, startFakeRegistry } from '../../support/fake-registry.ts';

const SUBJECT = sha256('subject');
const DESCRIPTOR = {
  mediaType: mediaTypes.OCI_MANIFEST,
  digest: sha256('signature'),
  size: 9,
  artifactType: 'a/b',
};

/** A registry that answers listings with this. */
async function listing(body: unknown, headers: Record<string, string> = {}, status = 200) {
  const registry = await startFakeRegistry();
  registry.script((request, response) => {
    if (!/\/(?:tags|referrers|_catalog)/.test(request.url ?? '')) return false;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
    return true;
  });
  const { upstream } = connect(registry.origin);
  const page = { query: new URLSearchParams(), signal: signal() };
  return {
    registry,
    tags: (query = new URLSearchParams()) => upstream.tags(REPOSITORY, { ...page, query }),
    catalog: (query = new URLSearchParams()) => upstream.catalog({ ...page, query }),
    referrers: (artifactType?: string) => upstream.referrers(REPOSITORY, SUBJECT, { ...page, artifactType }),
  };
}

describe('tags', () => {
  it('come as they are, without what is no tag', async () => {
    const { tags } = await listing({
      name: 'team/app',
      tags: ['1.0', 'latest', 5, '../x', '', 'a'.repeat(129)],
    });
    expect(await tags()).toEqual({ tags: ['1.0', 'latest'], next: undefined });
  });

  it('may be none', async () => {
    expect((await (await listing({ name: 'team/app', tags: null })).tags()).tags).toEqual([]);
  });

  it.each([
    '</v2/team/app/tags/list?n=2&last=b&token=x%2Fy>; rel="next"',
    '<https://other.example.com/v2/x/tags/list?n=2&last=b&token=x%2Fy>; rel="next"',
    '<?n=2&last=b&token=x%2Fy>; rel=next',
  ])('go on with the query of %s', async (link) => {
    const { tags, registry } = await listing({ tags: ['a', 'b'] }, { link });
    const { next } = await tags(new URLSearchParams({ n: '2' }));
    expect(Object.fromEntries(next ?? [])).toEqual({ n: '2', last: 'b', token: 'x/y' });
    await tags(next);
    expect(registry.requests.map(({ path }) => path)).toEqual([
      '/v2/team/app/tags/list?n=2',
      '/v2/team/app/tags/list?n=2&last=b&token=x%2Fy',
    ]);
  });

  it.each([['{'], ['[]'], ['{"tags":"a"}'], [' '.repeat(16 * 1024 * 1024 + 1)]])(
    'are faulty when they are %.9s',
    async (body) => {
      await expect((await listing(body)).tags()).rejects.toMatchObject({ kind: 'faulty' });
    },
  );

  describe('of a registry that answers with all of them, in no order', () => {
    const ALL = { tags: ['v2', 'a', 'v10', 'B'] };
    const ask = async (query: string) => {
      const { tags, next } = await (await listing(ALL)).tags(new URLSearchParams(query));
      return [tags, next?.toString()];
    };

    it.each([
      ['', ['B', 'a', 'v10', 'v2'], undefined],
      ['n=10', ['B', 'a', 'v10', 'v2'], undefined],
      ['n=3', ['B', 'a', 'v10'], 'n=3&last=v10'],
      ['n=2&last=a', ['v10', 'v2'], undefined],
      ['last=a', ['v10', 'v2'], undefined],
      ['n=1&last=v2', [], undefined],
      // Gone since the page before.
      ['n=2&last=b', ['v10', 'v2'], undefined],
    ])('are put in order and cut into pages (%s)', async (query, tags, next) => {
      expect(await ask(query)).toEqual([tags, next]);
    });

    it.each(['last=b', 'n=4&last=b', 'n=1&token=x'])(
      'stay as they are where they can be its own page (%s)',
      async (query) => {
        expect(await ask(query)).toEqual([ALL.tags, undefined]);
      },
    );

    it('come each once, page by page', async () => {
      const tags = fc.uniqueArray(fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,8}$/), { maxLength: 40 });
      fc.assert(
        fc.property(tags, fc.integer({ min: 1, max: 12 }), (all, size) => {
          const seen: string[] = [];
          let query: URLSearchParams | undefined = new URLSearchParams({ n: String(size) });
          while (query) {
            const page: TagPage = orderedTags(all, query);
            expect(page.tags.length).toBeLessThanOrEqual(size);
            seen.push(...page.tags);
            query = page.next;
          }
          expect(seen).toEqual(all.toSorted());
        }),
      );
    });
  });

  it('of a repository that is missing are not found', async () => {
    await expect((await listing('', {}, 404)).tags()).rejects.toMatchObject({ kind: 'not-found' });
  });
});

describe('the catalog', () => {
  it('holds the names that are names', async () => {
    const link = '</v2/_catalog?last=b>; rel="next"';
    const { catalog } = await listing({ repositories: ['a', 'team/b', '../c', 'UPPER', 7] }, { link });
    const page = await catalog();
    expect(page.repositories).toEqual(['a', 'team/b']);
    expect(page.next?.toString()).toBe('last=b');
  });

  it.each([401, 403, 404, 405, 501])('is not supported when it is answered %i', async (status) => {
    await expect((await listing('', {}, status)).catalog()).rejects.toMatchObject({ kind: 'unsupported' });
  });

  it('is faulty at 500', async () => {
    await expect((await listing('', {}, 500)).catalog()).rejects.toMatchObject({ kind: 'faulty' });
  });
});

describe('referrers', () => {
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.OCI_INDEX,
    manifests: [DESCRIPTOR, { broken: true }],
  };

  it('come as descriptors, never with addresses to follow', async () => {
    const withUrls = { ...index, manifests: [{ ...DESCRIPTOR, urls: ['https://attacker.net'] }, {}] };
    const { referrers, registry } = await listing(withUrls);
    expect(await referrers()).toEqual({ manifests: [DESCRIPTOR], filtered: false, next: undefined });
    expect(registry.requests[0]?.path).toBe(`/v2/team/app/referrers/${SUBJECT}`);
  });

  it.each([
    ['artifactType', true],
    ['x, artifactType', true],
    ['x', false],
  ])('are filtered where the registry says %s', async (applied, filtered) => {
    const { referrers, registry } = await listing(index, { 'oci-filters-applied': applied });
    expect((await referrers('a/b')).filtered).toBe(filtered);
    expect(registry.requests[0]?.path).toContain('?artifactType=a%2Fb');
  });

  it.each([400, 404, 405, 501])('are looked up by tag where the API answers %i', async (status) => {
    const { referrers, registry } = await listing('404 page not found', {}, status);
    expect(await referrers()).toEqual({ manifests: [], filtered: false, next: undefined });
    registry.addManifest(JSON.stringify(index), mediaTypes.OCI_INDEX, SUBJECT.replace(':', '-'));
    expect((await referrers('a/b')).manifests).toEqual([DESCRIPTOR]);
    expect((await referrers('a/b')).filtered).toBe(false);
  });

  it('are no answer where the look-up by tag is refused', async () => {
    const { referrers, registry } = await listing('', {}, 404);
    registry.script((_request, response) => {
      sendError(response, 403, 'DENIED');
      return true;
    });
    await expect(referrers()).rejects.toMatchObject({ kind: 'refused' });
  });
});
