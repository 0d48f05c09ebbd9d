import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatChallenge, parseChallenges } from '../../src/oci/index.ts';

function plain(values: readonly string[]) {
  return parseChallenges(values).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

describe('challenge', () => {
  it('does not split at a comma within quotes', () => {
    expect(plain(['Bearer realm="https://a/token",service="s",scope="repository:a:pull,push"'])).toEqual([
      ['bearer', { realm: 'https://a/token', service: 's', scope: 'repository:a:pull,push' }],
    ]);
  });

  it('reads several challenges of one header and of several', () => {
    expect(plain(['Basic realm="x", Bearer realm=y , service="z"', 'Negotiate'])).toEqual([
      ['basic', { realm: 'x' }],
      ['bearer', { realm: 'y', service: 'z' }],
      ['negotiate', {}],
    ]);
  });

  it('takes escapes, odd spelling and the first of two equal parameters', () => {
    expect(plain(['bEaReR REALM="a\\"b",realm="c"'])).toEqual([['bearer', { realm: 'a"b' }]]);
  });

  it('stops at what is no challenge, and never hangs or throws', () => {
    expect(plain(['Bearer realm="open'])).toEqual([['bearer', {}]]);
    expect(plain([`Bearer realm="${'x'.repeat(9000)}"`])).toEqual([]);
    fc.assert(fc.property(fc.array(fc.string()), (values) => void parseChallenges(values)));
  });

  it('reads what it writes', () => {
    const value = fc.stringMatching(/^[ -~]{0,30}$/);
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), value, { noNullPrototype: true }),
        (parameters) => {
          expect(plain([formatChallenge('Bearer', parameters)])).toEqual([['bearer', parameters]]);
        },
      ),
    );
  });
});
