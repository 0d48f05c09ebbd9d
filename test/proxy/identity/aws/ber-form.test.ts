import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWellFormedBer } from '../../../../src/proxy/identity/aws/instance-document/ber-form.ts';
import { element, sequence } from '../../../servers/aws/ber.ts';

const integer = element(0x02, Buffer.from([1]));

describe('one element of BER', () => {
  it.each([
    ['a number', integer],
    ['nothing inside', sequence([])],
    ['a definite length', sequence([integer, integer])],
    ['a padded length', sequence([integer, integer], 'padded')],
    ['an indefinite length', sequence([integer, sequence([integer], 'indefinite')], 'indefinite')],
    ['a definite one in an indefinite one', sequence([sequence([integer])], 'indefinite')],
    ['an indefinite one in a definite one', sequence([sequence([integer], 'indefinite'), integer])],
  ])('may have %s', (_, bytes) => {
    expect(isWellFormedBer(bytes)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['a byte behind it', '020101ff'],
    ['two elements', '020101020101'],
    ['less than it promises', '020201'],
    ['an element inside that goes beyond it', '3003020201'],
    ['bytes inside that are no element', '300102'],
    ['an indefinite length without its mark', '3080020101'],
    ['half a mark', '308002010100'],
    ['a mark that is none', '30800201010001'],
    ['a mark where none belongs', '3004000002010100'],
    ['an indefinite length of a plain value', '0480010000'],
    ['a tag of several bytes', '3f8101020101'],
    ['a length of five bytes', '02850000000001ff'],
    ['a length of reserved form', '02ff01'],
  ])('may not be %s', (_, hex) => {
    expect(isWellFormedBer(Buffer.from(hex, 'hex'))).toBe(false);
  });

  it('may not be deeper than anything of use', () => {
    let nested = integer;
    for (let depth = 0; depth < 32; depth += 1) nested = sequence([nested]);
    expect(isWellFormedBer(nested)).toBe(true);
    expect(isWellFormedBer(sequence([nested]))).toBe(false);
    expect(isWellFormedBer(Buffer.alloc(100_000, Buffer.from([0x30, 0x80])))).toBe(false);
  });

  it('is told for any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(typeof isWellFormedBer(Buffer.from(bytes))).toBe('boolean');
      }),
    );
  });
});
