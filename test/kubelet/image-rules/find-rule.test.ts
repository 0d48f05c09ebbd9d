import { describe, expect, it } from 'vitest';
import { createRuleFinder } from '../../../src/kubelet/image-rules/find-rule.ts';
import { parseImagePattern } from '../../../src/kubelet/image-rules/image-pattern.ts';

function finder(...rules: readonly (readonly string[])[]) {
  return createRuleFinder(rules.map((images, index) => ({ index, images: images.map(parseImagePattern) })));
}

describe('the rule for an image', () => {
  const find = finder(['**'], ['docker.example.com/**'], ['docker.example.com/team/**', 'quay.io/team/app']);

  it.each([
    ['nginx', 0],
    ['docker.example.com/app', 1],
    ['docker.example.com/team/app:v1', 2],
    ['quay.io/team/app', 2],
  ])('%s is rule %i, that of the longest pattern', (image, index) => {
    expect(find(image)?.rule.index).toBe(index);
  });

  it('is none for what is no reference', () => {
    expect(find('a'.repeat(64).replaceAll('a', 'f'))).toBeUndefined();
    expect(find('Not/A Reference')).toBeUndefined();
  });
});

describe('a rule has a whole registry', () => {
  it('when it means all repositories and no other rule means any', () => {
    expect(finder(['docker.example.com/**'], ['quay.io/**'])('docker.example.com/a')?.wholeRegistry).toBe(
      true,
    );
    expect(finder(['*.example.com/**'])('docker.example.com/a')?.wholeRegistry).toBe(true);
  });

  it('also when what is left over has a rule', () => {
    expect(finder(['a.example/**'], ['**'])('a.example/c')?.wholeRegistry).toBe(true);
  });

  it('also when a pattern of its own is more exact', () => {
    expect(finder(['a.example/**', 'a.example/b/**'])('a.example/c')?.wholeRegistry).toBe(true);
  });

  it.each([
    ['a more exact rule for a part of it', [['a.example/**'], ['a.example/b/**']]],
    ['a pattern for a part of it only', [['a.example/c/*', 'a.example/c']]],
  ])('but not with %s', (_, rules) => {
    expect(finder(...rules)('a.example/c')?.wholeRegistry).toBe(false);
  });
});
