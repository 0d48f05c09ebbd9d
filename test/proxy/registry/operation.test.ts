import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../../src/oci/index.ts';
import { neededFor, parseResource } from '../../../src/proxy/registry/operation.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function codeOf(path: string): string {
  try {
    parseResource(path);
    return 'parsed';
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    expect(error.status).toBeLessThan(500);
    return error.code;
  }
}

describe('the path grammar', () => {
  it.each([
    ['/v2', { kind: 'ping' }],
    ['/v2/', { kind: 'ping' }],
    ['/v2/_catalog', { kind: 'catalog' }],
    ['/v2/team/app/tags/list', { kind: 'tags', name: 'team/app' }],
    ['/v2/app/manifests/v1', { kind: 'manifest', name: 'app', reference: { type: 'tag', tag: 'v1' } }],
    [
      `/v2/app/manifests/${DIGEST}`,
      { kind: 'manifest', name: 'app', reference: { type: 'digest', digest: DIGEST } },
    ],
    [`/v2/a/b/c/blobs/${DIGEST}`, { kind: 'blob', name: 'a/b/c', digest: DIGEST }],
    [`/v2/app/referrers/${DIGEST}`, { kind: 'referrers', name: 'app', digest: DIGEST }],
    ['/v2/app/blobs/uploads/', { kind: 'uploads', name: 'app' }],
    ['/v2/app/blobs/uploads/3f2c-1_A=', { kind: 'upload', name: 'app', session: '3f2c-1_A=' }],
    [
      '/v2/manifests/manifests/manifests',
      { kind: 'manifest', name: 'manifests', reference: { type: 'tag', tag: 'manifests' } },
    ],
    ['/v2/tags/list/tags/list', { kind: 'tags', name: 'tags/list' }],
    [`/v2/blobs/uploads/blobs/${DIGEST}`, { kind: 'blob', name: 'blobs/uploads', digest: DIGEST }],
  ])('%s', (path, resource) => {
    expect(parseResource(path)).toEqual(resource);
  });

  it.each([
    ['/', 'UNSUPPORTED'],
    ['/v1/', 'UNSUPPORTED'],
    ['/v2/app', 'UNSUPPORTED'],
    ['/v2/app/tags', 'UNSUPPORTED'],
    ['/v2/app/tags/list/', 'UNSUPPORTED'],
    ['/v2/manifests/v1', 'NAME_INVALID'],
    ['/v2//manifests/v1', 'NAME_INVALID'],
    ['/v2/App/manifests/v1', 'NAME_INVALID'],
    ['/v2/a/../b/manifests/v1', 'NAME_INVALID'],
    ['/v2/a/%2e%2e/b/manifests/v1', 'NAME_INVALID'],
    ['/v2/a%2fb/manifests/v1', 'NAME_INVALID'],
    ['/v2/a/./manifests/v1', 'NAME_INVALID'],
    ['/v2/a\\b/manifests/v1', 'NAME_INVALID'],
    ['/v2/a\0/manifests/v1', 'NAME_INVALID'],
    ['/v2/__proto__/manifests/v1', 'NAME_INVALID'],
    [`/v2/${'a/'.repeat(600)}manifests/v1`, 'NAME_INVALID'],
    ['/v2/app/manifests/', 'TAG_INVALID'],
    ['/v2/app/manifests/..', 'TAG_INVALID'],
    ['/v2/app/manifests/sha256:abc', 'DIGEST_INVALID'],
    ['/v2/app/blobs/v1', 'DIGEST_INVALID'],
    ['/v2/app/blobs/sha256:../../../etc/passwd', 'UNSUPPORTED'],
    [`/v2/app/blobs/sha256%3A${'a'.repeat(64)}`, 'DIGEST_INVALID'],
    ['/v2/app/blobs/uploads/../x', 'UNSUPPORTED'],
  ])('%s is %s', (path, code) => {
    expect(codeOf(path)).toBe(code);
  });

  it('answers any text with a resource or an error of the protocol', () => {
    const odd = fc.constantFrom(
      'v2',
      'manifests',
      'blobs',
      'uploads',
      'tags',
      'list',
      'a',
      '..',
      '%2e',
      '',
      DIGEST,
      '_catalog',
      '\0',
    );
    const path = fc.array(fc.oneof(odd, fc.string()), { maxLength: 8 }).map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(path, (text) => {
        codeOf(text);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what has to be allowed', () => {
  const resources = [
    '/v2/',
    '/v2/_catalog',
    '/v2/a/tags/list',
    '/v2/a/manifests/b',
    `/v2/a/blobs/${DIGEST}`,
    `/v2/a/referrers/${DIGEST}`,
    '/v2/a/blobs/uploads/',
    '/v2/a/blobs/uploads/session',
  ];
  const methods = [
    'GET',
    'HEAD',
    'PUT',
    'POST',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'constructor',
    '__proto__',
  ];

  it('comes from one table; the whole of it', () => {
    const matrix = resources.map((path) =>
      Object.fromEntries(
        methods.flatMap((method) => {
          const need = neededFor(parseResource(path), method);
          return need === undefined ? [] : [[method, need]];
        }),
      ),
    );
    expect(matrix).toEqual([
      { GET: 'token', HEAD: 'token' },
      { GET: 'token' },
      { GET: 'pull' },
      { GET: 'pull', HEAD: 'pull', PUT: 'push', DELETE: 'delete' },
      { GET: 'pull', HEAD: 'pull', DELETE: 'delete' },
      { GET: 'pull' },
      { POST: 'push' },
      { GET: 'push', PATCH: 'push', PUT: 'push', DELETE: 'push' },
    ]);
  });
});
