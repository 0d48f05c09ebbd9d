import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGoDuration } from '../../../src/credentials/kubelet-plugins/go-duration.ts';
import { parseImageMatch } from '../../../src/credentials/kubelet-plugins/match-images.ts';

const matches = (pattern: string, image: string) => parseImageMatch(pattern)?.matches(image);

describe('matchImages', () => {
  it.each([
    ['123456789.dkr.ecr.us-east-1.amazonaws.com', '123456789.dkr.ecr.us-east-1.amazonaws.com/app'],
    ['*.dkr.ecr.*.amazonaws.com', '123456789.dkr.ecr.us-east-1.amazonaws.com/team/app'],
    ['*.azurecr.io', 'acme.azurecr.io/app'],
    ['gcr.io', 'gcr.io/project/app'],
    ['*.*.registry.io', 'a.b.registry.io/app'],
    ['foo.registry.io:8080/path', 'foo.registry.io:8080/path/app'],
    ['registry.io/path', 'registry.io/pathological/app'],
    ['docker.io', 'docker.io/library/nginx'],
    ['app-*.registry.io', 'app-1.registry.io/x'],
    ['localhost:5000', 'localhost:5000/app'],
    ['https://registry.io/path', 'registry.io/path/app'],
  ])('%s means %s', (pattern, image) => {
    expect(matches(pattern, image)).toBe(true);
  });

  it.each([
    ['*.registry.io', 'registry.io/app'],
    ['*.registry.io', 'a.b.registry.io/app'],
    ['*', 'registry.io/app'],
    ['registry.io', 'registry.io:8080/app'],
    ['registry.io:8080', 'registry.io/app'],
    ['registry.io/path', 'registry.io/app'],
    ['registry.io', 'registry.io.evil.example/app'],
    ['*.dkr.ecr.*.amazonaws.com', 'evil.example/dkr.ecr.x.amazonaws.com/app'],
  ])('%s does not mean %s', (pattern, image) => {
    expect(matches(pattern, image)).toBe(false);
  });

  it.each(['', '/path', 'a b', 'registry.io/a?b', 'registry.io/a#b', '[::1]', 'r[eg].io'])(
    '%j is refused',
    (pattern) => {
      expect(parseImageMatch(pattern)).toBeUndefined();
    },
  );

  const label = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 3 });
  const labelPattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 3 });
  const port = fc.constantFrom('', ':80', ':8080');
  const path = fc.constantFrom('', '/a', '/a/b', '/ab');

  it("agrees with kubelet's definition", () => {
    fc.assert(
      fc.property(
        fc.array(labelPattern, { minLength: 1, maxLength: 3 }),
        port,
        path,
        fc.array(label, { minLength: 1, maxLength: 3 }),
        port,
        path,
        (labels, patternPort, patternPath, names, imagePort, imagePath) => {
          const plain =
            patternPort === imagePort &&
            labels.length === names.length &&
            imagePath.startsWith(patternPath) &&
            labels.every((text, index) =>
              new RegExp(`^${text.replaceAll('*', '.*')}$`).test(names[index] ?? ''),
            );
          const image = `${names.join('.')}${imagePort}${imagePath}`;
          expect(matches(`${labels.join('.')}${patternPort}${patternPath}`, image)).toBe(plain);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a duration as Go writes it', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['12h', 43_200_000],
    ['5m0s', 300_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['500ms', 500],
    ['1000us', 1],
  ])('%s', (text, expected) => {
    expect(parseGoDuration(text)).toBe(expected);
  });

  it.each(['', '12', '-1h', '1d', 'h', '1h ', '1e3s', '١h', '1h'.repeat(60)])('is not %j', (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  });
});
