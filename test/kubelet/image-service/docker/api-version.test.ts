import { describe, expect, it } from 'vitest';
import { chooseApiVersion } from '../../../../src/kubelet/image-service/docker/api-version.ts';

describe('the version of the Engine API', () => {
  it.each([
    ['20.10', '1.41', '1.12', '1.41'],
    ['23', '1.42', '1.12', '1.42'],
    ['25', '1.44', '1.24', '1.44'],
    ['28', '1.51', '1.24', '1.44'],
    ['29', '1.52', '1.44', '1.44'],
    ['some later one', '1.60', '1.50', '1.50'],
    ['one of a far future', '2.3', '2.0', '2.0'],
  ])('with Engine %s is the nearest to 1.44', (_engine, ApiVersion, MinAPIVersion, expected) => {
    expect(chooseApiVersion({ ApiVersion, MinAPIVersion })).toBe(expected);
  });

  it('without a smallest one is the newest at the most', () => {
    expect(chooseApiVersion({ ApiVersion: '1.41' })).toBe('1.41');
  });

  it.each([undefined, {}, { ApiVersion: 'x' }, { ApiVersion: '1.41/../..', MinAPIVersion: '1.1' }, []])(
    'is not known from %j',
    (answer) => {
      expect(chooseApiVersion(answer)).toBeUndefined();
    },
  );
});
