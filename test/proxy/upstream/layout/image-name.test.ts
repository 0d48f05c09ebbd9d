import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entryName, parseImageName } from '../../../../src/proxy/upstream/layout/image-name.ts';

describe('the name of an image in a layout', () => {
  test.each([
    ['team/app:1.0', 'team/app', '1.0'],
    ['app:latest', 'app', 'latest'],
    ['docker.io/library/alpine:3.20', 'library/alpine', '3.20'],
    ['localhost/app:1', 'app', '1'],
    ['localhost:5000/app:1', 'app', '1'],
    ['registry.example.com:5000/team/app:1', 'team/app', '1'],
    [`docker.io/library/alpine:3.20@sha256:${'0'.repeat(64)}`, 'library/alpine', '3.20'],
    ['app.tool:1', 'app.tool', '1'],
  ])('%s', (text, repository, tag) => {
    expect(parseImageName(text)).toEqual({ repository, tag });
  });

  test.each([
    'latest',
    '1.0',
    '',
    ':',
    'app:',
    ':1',
    'Team/app:1',
    'team/../app:1',
    '/app:1',
    'app:1/2',
    'a b:1',
    'host.example/:1',
  ])('%j is none', (text) => {
    expect(parseImageName(text)).toBeUndefined();
  });

  test('no text makes it throw or yield a name outside the grammar', () => {
    const alphabet = fc.constantFrom(
      'a',
      'B',
      '0',
      '.',
      ':',
      '/',
      '@',
      '-',
      '_',
      '..',
      'localhost',
      '\0',
      '%2e',
    );
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 12 }), (parts) => {
        const name = parseImageName(parts.join(''));
        if (!name) return;
        expect(name.repository).toMatch(/^[a-z0-9]+([._/-]+[a-z0-9]+)*$/);
        expect(name.tag).toMatch(/^\w[\w.-]*$/);
      }),
    );
  });

  test('the full reference of containerd goes before a bare tag', () => {
    const annotations = {
      'org.opencontainers.image.ref.name': '3',
      'io.containerd.image.name': 'docker.io/library/a:3',
    };
    expect(entryName(annotations)).toEqual({ type: 'named', name: { repository: 'library/a', tag: '3' } });
  });

  test('a bare tag is unusable, and no annotation is no name', () => {
    expect(entryName({ 'org.opencontainers.image.ref.name': '3' })).toEqual({ type: 'unusable', text: '3' });
    expect(entryName({ other: 'x' })).toEqual({ type: 'unnamed' });
    expect(entryName(undefined)).toEqual({ type: 'unnamed' });
  });
});
