import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseImageReference, registryHost } from '../../src/oci/index.ts';

const HEX = 'a'.repeat(64);

describe('a reference', () => {
  it.each([
    ['nginx', 'docker.io', 'library/nginx'],
    ['nginx:1.27', 'docker.io', 'library/nginx'],
    ['acme/app', 'docker.io', 'acme/app'],
    ['docker.io/nginx', 'docker.io', 'library/nginx'],
    ['docker.io/library/nginx', 'docker.io', 'library/nginx'],
    ['index.docker.io/acme/app', 'docker.io', 'acme/app'],
    ['registry-1.docker.io/nginx', 'docker.io', 'library/nginx'],
    ['localhost/app', 'localhost', 'app'],
    ['registry:5000/app', 'registry:5000', 'app'],
    ['DOCKER.example.com/a/b:v1', 'docker.example.com', 'a/b'],
    ['docker.example.com:443/app', 'docker.example.com', 'app'],
    ['127.0.0.1:5000/app:v1', '127.0.0.1:5000', 'app'],
    ['[::1]:5000/app', '[::1]:5000', 'app'],
    [`docker.example.com/app@sha256:${HEX}`, 'docker.example.com', 'app'],
    [`docker.example.com/app:v1@sha256:${HEX}`, 'docker.example.com', 'app'],
  ])('%s is of %s', (text, registry, repository) => {
    expect(parseImageReference(text)).toMatchObject({ registry, repository });
  });

  it('has a tag and a digest where they are given', () => {
    expect(parseImageReference(`example.com:5000/app:v1@sha256:${HEX}`)).toEqual({
      registry: 'example.com:5000',
      repository: 'app',
      tag: 'v1',
      digest: `sha256:${HEX}`,
    });
  });

  it.each([
    '',
    HEX,
    `sha256:${HEX}`,
    'docker.example.com/',
    'docker.example.com/App',
    'Registry/app',
    'a//b',
    'app:',
    'app:-x',
    'app@sha256:123',
    `app@sha256:${HEX}@sha256:${HEX}`,
    'https://docker.example.com/app',
    'user@docker.example.com/app',
    '-x.example.com/app',
    'docker.example.com:port/app',
    'a b',
  ])('%j is none', (text) => {
    expect(parseImageReference(text)).toBeUndefined();
  });

  it('never throws, and what it reads it reads again', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'aZ0.-_:/@[]'), maxLength: 30 }), (text) => {
        const parsed = parseImageReference(text);
        if (!parsed) return;
        const { registry, repository, tag } = parsed;
        const whole = `${registry}/${repository}${tag ? `:${tag}` : ''}`;
        expect(parseImageReference(whole)).toEqual(parsed);
      }),
      { numRuns: 3000 },
    );
  });
});

it("Docker Hub's registry is reached at a host of another name", () => {
  expect(registryHost('docker.io')).toBe('registry-1.docker.io');
  expect(registryHost('docker.example.com:5000')).toBe('docker.example.com:5000');
});
