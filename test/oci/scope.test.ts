import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatScope, parseScope, parseScopes } from '../../src/oci/index.ts';

describe('scope', () => {
  it('ends the type at the first colon and begins the actions at the last', () => {
    expect(parseScope('repository:host:5000/team/app:pull,push')).toEqual({
      type: 'repository',
      name: 'host:5000/team/app',
      actions: ['pull', 'push'],
    });
  });

  it('ignores a class, and actions that are named twice or not at all', () => {
    expect(parseScope('repository(plugin):a:pull,,pull')).toEqual({
      type: 'repository',
      name: 'a',
      actions: ['pull'],
    });
    expect(parseScope('registry:catalog:*')).toEqual({ type: 'registry', name: 'catalog', actions: ['*'] });
    expect(parseScope('repository:a:')).toEqual({ type: 'repository', name: 'a', actions: [] });
  });

  it.each([
    '',
    ':',
    'a',
    'a:b',
    ':a:b',
    'a::b',
    'Repository:a:pull',
    'repository:a b:pull',
    'repository:a:pull push',
    'repository:a:../x',
    `repository:${'a'.repeat(2000)}:pull`,
  ])('refuses %j', (text) => {
    expect(parseScope(text)).toBeUndefined();
  });

  it('reads several values with several scopes each', () => {
    const { scopes, invalid } = parseScopes([
      'repository:a:pull repository:b:push',
      'nonsense',
      'repository:c:pull',
    ]);
    expect(scopes.map(formatScope)).toEqual(['repository:a:pull', 'repository:b:push', 'repository:c:pull']);
    expect(invalid).toEqual(['nonsense']);
  });

  it('comes back as it was written', () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    const scope = fc.record({
      type: word,
      name: fc.stringMatching(/^[a-z0-9._/:-]{1,40}$/),
      actions: fc.uniqueArray(word, { maxLength: 4 }),
    });
    fc.assert(
      fc.property(scope, (value) => {
        expect(parseScope(formatScope(value))).toEqual(value);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseScope(text)));
  });
});
