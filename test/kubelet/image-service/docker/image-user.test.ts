import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseImageUser } from '../../../../src/kubelet/image-service/docker/image-user.ts';

describe('the user of an image', () => {
  it.each([
    ['', {}],
    [':', {}],
    [':grp', {}],
    ['0', { uid: 0n }],
    ['1000', { uid: 1000n }],
    ['1000:1000', { uid: 1000n }],
    ['1000:grp', { uid: 1000n }],
    ['app', { username: 'app' }],
    ['app:grp', { username: 'app' }],
    ['app:1000', { username: 'app' }],
    ['9223372036854775807', { uid: 9223372036854775807n }],
    ['9223372036854775808', { username: '9223372036854775808' }],
    ['-1', { username: '-1' }],
    ['+0', { username: '+0' }],
    ['1e3', { username: '1e3' }],
    ['0x10', { username: '0x10' }],
    [' 1000', { username: ' 1000' }],
    ['१', { username: '१' }],
  ])('%j', (user, expected) => {
    expect(parseImageUser(user)).toEqual(expected);
  });

  it('is a number exactly when it is written in digits, whatever the group', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.string(), (uid, group) => {
        expect(parseImageUser(`${uid}:${group}`)).toEqual({ uid });
      }),
    );
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (name, group) => {
        fc.pre(!name.includes(':') && !/^\d+$/.test(name));
        expect(parseImageUser(`${name}:${group}`)).toEqual({ username: name });
      }),
    );
  });
});
