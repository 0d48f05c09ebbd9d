import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PatternError, parseRepositoryPattern, type RepositoryName } from '../../src/oci/index.ts';

function matches(pattern: string, name: string): boolean {
  return parseRepositoryPattern(pattern).matches(name as RepositoryName);
}

describe('a pattern matches', () => {
  it.each([
    ['app', 'app'],
    ['team/app', 'team/app'],
    ['*', 'app'],
    ['team/*', 'team/app'],
    ['team-*', 'team-a'],
    ['team-*', 'team-'],
    ['*-*-x', 'a-b-c-x'],
    ['*/app', 'team/app'],
    ['**', 'app'],
    ['**', 'a/b/c'],
    ['platform/**', 'platform/a'],
    ['platform/**', 'platform/a/b/c'],
    ['a/**/b', 'a/b'],
    ['a/**/b', 'a/x/y/b'],
    ['**/b', 'b'],
    ['**/b', 'a/b'],
    ['**/*-x/**', 'a/b-x/c'],
    ['**/**', 'a'],
  ])('%s: %s', (pattern, name) => {
    expect(matches(pattern, name)).toBe(true);
  });
});

describe('a pattern does not match', () => {
  it.each([
    ['app', 'apps'],
    ['app', 'team/app'],
    ['*', 'team/app'],
    ['team/*', 'team'],
    ['team/*', 'team/a/b'],
    ['team-*', 'team'],
    ['team-*', 'team-a/b'],
    ['platform/**', 'platform'],
    ['platform/**', 'platforms/a'],
    ['a/**/b', 'a/x'],
    ['**/b', 'ab'],
    ['a.b', 'axb'],
    ['**/**/b', 'a/c'],
  ])('%s: %s', (pattern, name) => {
    expect(matches(pattern, name)).toBe(false);
  });
});

describe('a pattern is refused', () => {
  it.each([
    ['', /empty/],
    ['/a', /empty/],
    ['a/', /empty/],
    ['a//b', /empty/],
    ['Team', /"T" can't be in a name/],
    ['a?', /"\?"/],
    ['a[bc]', /"\["/],
    ['a b', /" "/],
    ['a\n', /"\\n"/],
    ['a**', /segment of its own/],
    ['***', /segment of its own/],
    ['{name}', /"\{"/],
    ['a'.repeat(513), /512/],
  ])('%j', (pattern, message) => {
    expect(() => parseRepositoryPattern(pattern)).toThrow(PatternError);
    expect(() => parseRepositoryPattern(pattern)).toThrow(message);
  });
});

const character = fc.constantFrom('a', 'b', '-');
const segment = fc.string({ unit: character, minLength: 1, maxLength: 4 });
const name = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('/'));
const patternSegment = fc.oneof(
  fc.constant('**'),
  fc
    .string({ unit: fc.constantFrom('a', 'b', '-', '*'), minLength: 1, maxLength: 4 })
    .filter((text) => !text.includes('**')),
);
const pattern = fc
  .array(patternSegment, { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join('/'));

/** The meaning written down as plainly as possible, with all the backtracking that it takes. */
function reference(patternSegments: readonly string[], segments: readonly string[]): boolean {
  const [first, ...rest] = patternSegments;
  if (first === undefined) return segments.length === 0;
  if (first === '**') {
    const least = rest.every((other) => other === '**') ? 1 : 0;
    if (least === 1) return segments.length >= 1;
    return segments.some((_, skip) => reference(rest, segments.slice(skip))) || reference(rest, []);
  }
  if (segments[0] === undefined) return false;
  const expression = new RegExp(`^${first.replaceAll('*', '.*')}$`);
  return expression.test(segments[0]) && reference(rest, segments.slice(1));
}

describe('for any pattern and name', () => {
  it('agrees with the plain definition', () => {
    fc.assert(
      fc.property(pattern, name, (patternText, nameText) => {
        expect(matches(patternText, nameText)).toBe(reference(patternText.split('/'), nameText.split('/')));
      }),
      { numRuns: 3000 },
    );
  });

  it('answers patterns on which backtracking never ends', () => {
    expect(matches(`${'*a'.repeat(120)}*b`, 'a'.repeat(255))).toBe(false);
    expect(matches(`${'**/a/'.repeat(80)}b`, 'a/'.repeat(127).concat('a'))).toBe(false);
    expect(matches(`${'*a*/**/'.repeat(60)}b`, 'aaa/'.repeat(63).concat('b'))).toBe(true);
  });
});
