import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseImagePattern } from '../../../../src/kubelet/image-service/credentials/image-pattern.ts';
import { parseImageReference } from '../../../../src/oci/index.ts';

function matches(pattern: string, image: string): boolean {
  const reference = parseImageReference(image);
  if (!reference) throw new Error(`${image} is no reference`);
  return parseImagePattern(pattern).matches(reference);
}

const ECR = '111122223333.dkr.ecr.eu-west-1.amazonaws.com';

describe('a pattern matches', () => {
  it.each([
    ['**', 'nginx'],
    ['**', 'docker.example.com:5000/a/b'],
    ['docker.example.com/**', 'docker.example.com/app:v1'],
    ['docker.example.com/**', 'docker.example.com/a/b/c'],
    ['docker.example.com/team/*', 'docker.example.com/team/app'],
    ['Docker.Example.com/**', 'docker.example.com/app'],
    ['docker.example.com:443/**', 'docker.example.com/app'],
    ['docker.example.com/**', 'docker.example.com:443/app'],
    ['docker.example.com:5000/**', 'docker.example.com:5000/app'],
    ['*.dkr.ecr.*.amazonaws.com/**', `${ECR}/team/app`],
    ['*.example.com/**', 'a.example.com/app'],
    ['reg-*.example.com/app', 'reg-1.example.com/app'],
    ['docker.io/**', 'nginx'],
    ['index.docker.io/**', 'acme/app'],
    ['docker.io/nginx', 'nginx:1.27'],
    ['docker.io/library/nginx', 'index.docker.io/nginx'],
    ['docker.io/*', 'nginx'],
    ['docker.io/acme/**', 'registry-1.docker.io/acme/app'],
    ['localhost/app', 'localhost/app'],
    ['registry:5000/**', 'registry:5000/app'],
    ['[::1]:5000/**', '[::1]:5000/app'],
  ])('%s: %s', (pattern, image) => {
    expect(matches(pattern, image)).toBe(true);
  });
});

describe('a pattern does not match', () => {
  it.each([
    ['docker.example.com/**', 'docker.example.com.evil.example/app'],
    ['docker.example.com/**', 'docker.example.com:5000/app'],
    ['docker.example.com:5000/**', 'docker.example.com/app'],
    ['docker.example.com/team/**', 'docker.example.com/team'],
    ['docker.example.com/team/*', 'docker.example.com/team/a/b'],
    ['docker.example.com/**', 'docker-example.com/app'],
    ['*.example.com/**', 'example.com/app'],
    ['*.example.com/**', 'a.b.example.com/app'],
    ['*.dkr.ecr.*.amazonaws.com/**', `${ECR}.evil.example/app`],
    ['*.dkr.ecr.*.amazonaws.com/**', 'a.evil.example.dkr.ecr.x.amazonaws.com/app'],
    ['docker.io/nginx', 'acme/nginx'],
    ['docker.io/*', 'acme/app'],
  ])('%s: %s', (pattern, image) => {
    expect(matches(pattern, image)).toBe(false);
  });
});

describe('a pattern is refused', () => {
  it.each([
    ['docker.example.com', /docker\.example\.com\/\*\*/],
    ['nginx', /docker\.io\/nginx/],
    ['acme/app', /docker\.io\/acme/],
    ['**.example.com/**', /each label/],
    ['docker.example.com/app:v1', /tags/],
    ['docker.example.com/app@sha256:1', /tags/],
    ['docker.example.com/', /empty/],
    ['docker.example.com/a**', /segment of its own/],
    ['docker.example.com/App', /"A"/],
    ['https://docker.example.com/**', /no registry|empty/],
    ['docker..example.com/**', /no registry/],
    ['docker.example.com:port/**', /no registry/],
    ['', /\/\*\*/],
  ])('%j', (pattern, message) => {
    expect(() => parseImagePattern(pattern)).toThrow(message);
  });
});

const label = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 });
const labelPattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 3 });
const port = fc.constantFrom('', ':5000');

describe('for any registry', () => {
  it('agrees with the plain definition: label by label, and the same port', () => {
    fc.assert(
      fc.property(
        fc.array(labelPattern, { minLength: 2, maxLength: 4 }).filter((all) => !all.join('.').includes('**')),
        port,
        fc.array(label, { minLength: 2, maxLength: 4 }),
        port,
        (patternLabels, patternPort, labels, askedPort) => {
          const host = patternLabels.map((text) => text.replaceAll('*', '[^.:]*')).join('\\.');
          const plain = new RegExp(`^${host}${patternPort}$`).test(`${labels.join('.')}${askedPort}`);
          const pattern = `${patternLabels.join('.')}${patternPort}/**`;
          expect(matches(pattern, `${labels.join('.')}${askedPort}/app`)).toBe(plain);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
