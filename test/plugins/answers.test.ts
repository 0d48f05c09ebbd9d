import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCredentialAnswer, parseDescribeAnswer, parseLoginAnswer } from '../../src/plugins/answers.ts';
import { PluginError } from '../../src/plugins/index.ts';

const identity = { name: 'ada', groups: ['platform'], claims: { team: { id: 7 } }, anchor: 'mark' };
const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });

describe('an answer to a login', () => {
  it.each([
    ['somebody', { identity }, { type: 'identity', identity }],
    [
      'somebody without anything',
      { identity: { name: 'ada', groups: null, claims: null, anchor: null } },
      { type: 'identity', identity: { name: 'ada', groups: [], claims: {}, anchor: undefined } },
    ],
    ['fields that are not known', { identity: { ...identity, x: 1 }, y: 2 }, { type: 'identity', identity }],
    ['a refusal', { refused: { reason: 'wrong' } }, { type: 'refused', reason: 'wrong' }],
    ['a refusal without words', { refused: {} }, { type: 'refused', reason: '' }],
  ])('may be %s', (_, answer, expected) => {
    expect(parseLoginAnswer(answer)).toEqual(expected);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an empty one', {}],
    ['a list', [identity]],
    ['text', 'identity'],
    ['a yes', true],
    ['two answers', { identity, refused: {} }],
    ['an identity and an error', { identity, error: {} }],
    ['nobody', { identity: { ...identity, name: '' } }],
    ['no name', { identity: { groups: [] } }],
    ['a name that is a number', { identity: { name: 7 } }],
    ['a name with a line break', { identity: { name: 'ada\nben' } }],
    ['a name that is no text', { identity: { name: 'ada\uD800' } }],
    ['a long name', { identity: { name: 'x'.repeat(257) } }],
    ['groups in one text', { identity: { name: 'ada', groups: 'platform' } }],
    ['an empty group', { identity: { name: 'ada', groups: [''] } }],
    ['claims in a list', { identity: { name: 'ada', claims: [] } }],
    ['claims nested deeply', { identity: { name: 'ada', claims: nested(17) } }],
    ['claims that are large', { identity: { name: 'ada', claims: { text: 'x'.repeat(4096) } } }],
    ['groups that are large', { identity: { name: 'ada', groups: Array(100).fill('x'.repeat(100)) } }],
    ['a long anchor', { identity: { name: 'ada', anchor: 'x'.repeat(257) } }],
    ['a refusal that is text', { refused: 'no' }],
  ])('is nonsense with %s', (_, answer) => {
    expect(() => parseLoginAnswer(answer)).toThrow(expect.objectContaining({ code: 'nonsense' }));
  });

  it('may say that it can not tell', () => {
    expect(() => parseLoginAnswer({ error: { message: 'down' } })).toThrow(
      expect.objectContaining({ code: 'error', message: 'down' }),
    );
  });

  it('allows claims of some depth', () => {
    expect(parseLoginAnswer({ identity: { name: 'ada', claims: nested(16) } }).type).toBe('identity');
  });

  it('is nonsense, and no crash, when it is nested without end', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`);
    expect(() => parseLoginAnswer({ identity: { name: 'ada', claims: deep } })).toThrow(PluginError);
  });

  it('is an identity only with a name, and else a plugin error, whatever comes', () => {
    const key = fc.constantFrom('identity', 'refused', 'error', 'name', 'groups', 'claims', 'anchor');
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue(),
        fc.dictionary(key, tie('tree')),
        fc.constant(identity),
      ),
    }));
    fc.assert(
      fc.property(tree, (answer) => {
        try {
          const parsed = parseLoginAnswer(answer);
          if (parsed.type === 'identity') {
            expect(parsed.identity.name).toMatch(/^.+$/u);
            expect(JSON.stringify(parsed.identity).length).toBeLessThan(5000);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(PluginError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('an answer with a credential', () => {
  const credential = { username: 'acme', password: 'canary', expiresAt: '2026-01-01T00:00:00.5+01:00' };

  it('is read', () => {
    expect(parseCredentialAnswer({ credential })).toEqual({
      ...credential,
      expiresAt: Date.UTC(2025, 11, 31, 23, 0, 0, 500),
    });
    expect(
      parseCredentialAnswer({ credential: { ...credential, expiresAt: null } })?.expiresAt,
    ).toBeUndefined();
    expect(parseCredentialAnswer({ none: {} })).toBeUndefined();
  });

  it.each([
    ['no end that is a time', { expiresAt: 'tomorrow' }],
    ['an end in seconds', { expiresAt: 1_700_000_000 }],
    ['a user name with a colon', { username: 'a:b' }],
    ['no user name', { username: '' }],
    ['no password', { password: '' }],
    ['a password with a line break', { password: 'canary\r\nX: y' }],
  ])('is nonsense with %s, and is not quoted', (_, change) => {
    expect(() => parseCredentialAnswer({ credential: { ...credential, ...change } })).toThrow(
      expect.objectContaining({ code: 'nonsense', message: expect.not.stringContaining('canary') }),
    );
  });

  it.each([{}, { none: {}, credential }, undefined, 'none'])('is nonsense as %j', (answer) => {
    expect(() => parseCredentialAnswer(answer)).toThrow(expect.objectContaining({ code: 'nonsense' }));
  });
});

it('a description is that it renews, or that it does not', () => {
  expect(parseDescribeAnswer({ renew: true })).toEqual({ renew: true });
  expect(parseDescribeAnswer({})).toEqual({ renew: false });
  expect(() => parseDescribeAnswer({ renew: 'yes' })).toThrow(PluginError);
  expect(() => parseDescribeAnswer(undefined)).toThrow(PluginError);
});
