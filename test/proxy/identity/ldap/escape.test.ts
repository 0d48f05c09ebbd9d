import fc from 'fast-check';
import { EqualityFilter, FilterParser } from 'ldapts';
import { describe, expect, it } from 'vitest';
import {
  canonicalName,
  isBelow,
  ownValue,
  parseDistinguishedName,
} from '../../../../src/proxy/identity/ldap/distinguished-name.ts';
import { escapeFilterValue, escapeNameValue } from '../../../../src/proxy/identity/ldap/escape.ts';

/** Text full of what means something in a name or in a filter. */
const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'"+,;<>=\\#*()\0 &|!~:@{}$', 'é', '𝒜', '\u00a0', '\\00', '\\2c', 'uid', 'ou='),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 2 }),
  ),
  maxLength: 12,
});

const parse = (text: string) => parseDistinguishedName(text) ?? [];

describe('escaping a value of a distinguished name', () => {
  it.each([
    ['a,b=c', 'a\\2cb\\3dc'],
    ['"+;<>\\', '\\22\\2b\\3b\\3c\\3e\\5c'],
    [' # a ', '\\20\\23 a\\20'],
    ['\0', '\\00'],
    ['  ', '\\20\\20'],
    ['Zoë', 'Zoë'],
  ])('%j is %s', (text, escaped) => expect(escapeNameValue(text)).toBe(escaped));

  it('keeps any text one value of one part', () => {
    fc.assert(
      fc.property(nasty, (value) => {
        const name = parse(`uid=${escapeNameValue(value)},ou=people`);
        expect(name).toEqual([[{ type: 'uid', value }], [{ type: 'ou', value: 'people' }]]);
      }),
    );
  });
});

describe('escaping a value of a search filter', () => {
  it.each([
    ['*)(uid=*', '\\2a\\29\\28uid=\\2a'],
    ['\\00\0', '\\5c00\\00'],
    ['Zoë', 'Zoë'],
  ])('%j is %s', (text, escaped) => expect(escapeFilterValue(text)).toBe(escaped));

  it('keeps any text one value of one comparison', () => {
    fc.assert(
      fc.property(nasty, (value) => {
        const filter = FilterParser.parseString(`(uid=${escapeFilterValue(value)})`);
        expect(filter).toBeInstanceOf(EqualityFilter);
        expect(filter).toMatchObject({ attribute: 'uid', value });
      }),
    );
  });

  it('holds for both kinds, one inside the other', () => {
    fc.assert(
      fc.property(nasty, (value) => {
        const dn = `uid=${escapeNameValue(value)},ou=people`;
        const filter = FilterParser.parseString(`(member=${escapeFilterValue(dn)})`);
        expect(filter).toMatchObject({ attribute: 'member', value: dn });
      }),
    );
  });
});

describe('reading distinguished names', () => {
  it.each([
    ['UID = anna , ou=a', [[{ type: 'uid', value: 'anna' }], [{ type: 'ou', value: 'a' }]]],
    [
      'cn=a+uid=b',
      [
        [
          { type: 'cn', value: 'a' },
          { type: 'uid', value: 'b' },
        ],
      ],
    ],
    ['cn=a\\, b\\5c', [[{ type: 'cn', value: 'a, b\\' }]]],
    ['cn=Zo\\c3\\ab', [[{ type: 'cn', value: 'Zoë' }]]],
    ['cn=a\\ ', [[{ type: 'cn', value: 'a ' }]]],
    ['0.9.2342=x=y', [[{ type: '0.9.2342', value: 'x=y' }]]],
    ['cn=', [[{ type: 'cn', value: '' }]]],
  ])('%j', (text, name) => expect(parseDistinguishedName(text)).toEqual(name));

  it.each([
    '',
    'cn',
    '=a',
    'cn=a,',
    'cn=a,,ou=b',
    'cn="a"',
    'cn=a\\',
    'cn=a\\x',
    'cn=a\0',
    'cn=a;ou=b',
    ',cn=a',
  ])('%j is none', (text) => expect(parseDistinguishedName(text)).toBeUndefined());

  it('never fails otherwise, and knows names again', () => {
    fc.assert(
      fc.property(nasty, nasty, (text, value) => {
        parseDistinguishedName(text);
        const lower = parse(`cn=${escapeNameValue(value)},dc=x`);
        const upper = parse(`CN = ${escapeNameValue(value)} , DC=X`);
        expect(canonicalName(upper)).toBe(canonicalName(lower));
      }),
    );
  });

  it('tells what is below what', () => {
    const base = parse('ou=groups,dc=example');
    expect(isBelow(parse('cn=a,OU=Groups, dc=example'), base)).toBe(true);
    expect(isBelow(parse('cn=a,ou=b,ou=groups,dc=example'), base)).toBe(true);
    expect(isBelow(base, base)).toBe(false);
    expect(isBelow(parse('cn=a,ou=groups,dc=example,dc=org'), base)).toBe(false);
    expect(isBelow(parse('cn=a\\,ou=groups,dc=example'), base)).toBe(false);
    expect(isBelow(parse('dc=example'), base)).toBe(false);
  });

  it('gives the own value of an attribute', () => {
    expect(ownValue(parse('cn=a+uid=b,ou=c'), 'UID')).toBe('b');
    expect(ownValue(parse('cn=a+uid=b,ou=c'), 'ou')).toBeUndefined();
  });
});
