import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  familiarReference,
  imagePath,
  isAskedFor,
  pullQuery,
  realNames,
} from '../../../../src/kubelet/image-service/docker/image-name.ts';

const HEX = 'ab'.repeat(32);
const DIGEST = `sha256:${'d'.repeat(64)}`;

describe('a pull asks for', () => {
  it.each([
    ['nginx', 'nginx', 'latest'],
    ['nginx:1.27', 'nginx', '1.27'],
    ['docker.example.com:5000/team/app', 'docker.example.com:5000/team/app', 'latest'],
    ['docker.example.com:5000/team/app:v1', 'docker.example.com:5000/team/app', 'v1'],
    [`docker.example.com/app@${DIGEST}`, 'docker.example.com/app', DIGEST],
    [`docker.example.com/app:v1@${DIGEST}`, 'docker.example.com/app', DIGEST],
    ['index.docker.io/library/nginx', 'index.docker.io/library/nginx', 'latest'],
  ])('%s: %s and %s', (image, fromImage, tag) => {
    expect(pullQuery(image)).toEqual({ fromImage, tag });
  });

  it.each(['', HEX, `sha256:${HEX}`, 'docker.example.com/App', 'app@sha256:1', '../app', 'a b'])(
    'nothing for %j',
    (image) => {
      expect(() => pullQuery(image)).toThrow('is not an image reference');
    },
  );
});

describe('the path of an image', () => {
  it.each([
    ['nginx:1.27', '/images/nginx%3A1.27'],
    ['docker.example.com:5000/team/app:v1', '/images/docker.example.com%3A5000/team/app%3Av1'],
    [`app@${DIGEST}`, `/images/app%40sha256%3A${'d'.repeat(64)}`],
    [HEX, `/images/${HEX}`],
  ])('%s is %s', (image, path) => {
    expect(imagePath(image)).toBe(path);
  });

  it.each([
    '',
    '../containers/x',
    'a/../../containers/x',
    'a/./b',
    '/a',
    'a//b',
    'a?b',
    'a#b',
    'a%2e',
    'a\nb',
  ])('there is none for %j', (image) => {
    expect(() => imagePath(image)).toThrow('is not an image reference');
  });

  it('never leaves /images/', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a./%:@?#\\ '), maxLength: 12 }), (image) => {
        let path: string;
        try {
          path = imagePath(image);
        } catch {
          return;
        }
        const { pathname, search, hash } = new URL(path, 'http://docker');
        expect(decodeURIComponent(pathname)).toBe(`/images/${image}`);
        expect(search + hash).toBe('');
      }),
      { numRuns: 3000 },
    );
  });
});

describe('an answer', () => {
  const answer = {
    id: `sha256:${HEX}`,
    repoTags: ['nginx:latest', 'docker.example.com:5000/team/app:v1'],
    repoDigests: [`nginx@${DIGEST}`],
  };

  it.each([
    'nginx',
    'nginx:latest',
    'docker.io/library/nginx',
    'index.docker.io/nginx:latest',
    'docker.example.com:5000/team/app:v1',
    `nginx@${DIGEST}`,
    `docker.io/library/nginx@${DIGEST}`,
    `nginx:1.27@${DIGEST}`,
    HEX,
    `sha256:${HEX}`,
  ])('is the one that was asked for by %s', (image) => {
    expect(isAskedFor(image, answer)).toBe(true);
  });

  it.each([
    'nginx:1.27',
    'acme/nginx',
    'docker.example.com/team/app:v1',
    'docker.example.com:5000/team/app',
    `other@${DIGEST}`,
    `nginx@sha256:${'e'.repeat(64)}`,
    HEX.slice(0, 12),
    `sha256:${HEX.slice(0, 12)}`,
    'abababab',
    '',
  ])('is not the one that was asked for by %j', (image) => {
    expect(isAskedFor(image, answer)).toBe(false);
  });
});

it.each([
  ['docker.io/library/nginx:1', 'nginx:1'],
  ['index.docker.io/library/nginx', 'nginx'],
  ['docker.io/acme/app', 'acme/app'],
  ['library/acme/app', 'library/acme/app'],
  ['docker.example.com/library/app', 'docker.example.com/library/app'],
])('Docker Engine shows %s as %s', (image, expected) => {
  expect(familiarReference(image)).toBe(expected);
});

it('what has no name gets none', () => {
  expect(realNames(['<none>:<none>', 'a:1', 'a:1'])).toEqual(['a:1']);
  expect(realNames(['<none>@<none>'])).toEqual([]);
  expect(realNames(null)).toEqual([]);
});
