import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearestKey } from '../../src/config/index.ts';

const keys = ['upstream', 'repository', 'match', 'blobs', 'publicUrl'];

test.each([
  ['upstrem', 'upstream'],
  ['Upstream', 'upstream'],
  ['public_url', 'publicUrl'],
  ['public-url', 'publicUrl'],
  ['repo', undefined],
  ['password', undefined],
  ['', undefined],
])('%s is closest to %s', (word, expected) => {
  expect(nearestKey(word, keys)).toBe(expected);
});

test('of several close keys the closest is taken', () => {
  expect(nearestKey('passwordFil', ['password', 'passwordFile'])).toBe('passwordFile');
});

test('an equal key is never suggested', () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, fc.array(word), (asked, others) => {
      const nearest = nearestKey(asked, [...others, asked]);
      expect(nearest).not.toBe(asked);
      if (nearest !== undefined) expect(others).toContain(nearest);
    }),
  );
});
