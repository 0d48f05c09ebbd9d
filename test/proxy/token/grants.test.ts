import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRepositoryName, type Scope } from '../../../src/oci/index.ts';
import { ACTIONS, authorizationOptions, createPolicy } from '../../../src/proxy/policy/index.ts';
import { grantScopes } from '../../../src/proxy/token/grants.ts';
import { alice, scopes } from './support.ts';

const policyOf = (...rules: object[]) =>
  createPolicy(
    authorizationOptions.parse({ rules: rules.map((rule, index) => ({ name: `r${index}`, ...rule })) }),
  );
const policy = policyOf(
  { repositories: ['dev/**'], actions: ['pull', 'push'] },
  { repositories: ['**'], actions: ['pull'] },
);

describe('grantScopes', () => {
  it.each<[string, string[], string[]]>([
    ['nothing for nothing', [], []],
    ['what is asked for and allowed', ['repository:dev/a:push,delete'], ['repository:dev/a:push']],
    ['nothing that was not asked for', ['repository:dev/a:pull'], ['repository:dev/a:pull']],
    ['nothing where no action is asked for', ['repository:dev/a:'], []],
    ['every allowed action for *', ['repository:dev/a:*'], ['repository:dev/a:pull,push']],
    ['every allowed action for * among others', ['repository:b:pull,*'], ['repository:b:pull']],
    [
      'several names, in order',
      ['repository:z:pull', 'repository:dev/a:push'],
      ['repository:z:pull', 'repository:dev/a:push'],
    ],
    [
      'one name once',
      ['repository:dev/a:pull', 'repository:b:pull', 'repository:dev/a:push'],
      ['repository:dev/a:pull,push', 'repository:b:pull'],
    ],
    ['the catalog', ['registry:catalog:*'], ['registry:catalog:*']],
    ['the catalog, not parts of it', ['registry:catalog:pull'], []],
    ['no other registry resource', ['registry:admin:*'], []],
    ['no other type', ['host:a:pull', 'plugin:a:pull'], []],
    ['no action it does not know', ['repository:dev/a:admin,pull'], ['repository:dev/a:pull']],
    [
      'no name that is none',
      ['repository:Dev/A:pull', 'repository:a//b:pull', 'repository:a:5000/b:pull'],
      [],
    ],
    ['no name with a pattern in it', ['repository:dev/*:pull', 'repository:**:pull'], []],
    ['nothing for a name of a prototype', ['repository:__proto__:pull'], []],
  ])('grants %s', (_, asked, granted) => {
    expect(grantScopes(scopes(...asked), alice, policy)).toEqual(scopes(...granted));
  });

  it('looks at a hundred scopes', () => {
    const names = Array.from({ length: 101 }, (_, n) => `repository:a${n}:pull`);
    const granted = grantScopes(scopes(...names), alice, policy);
    expect(granted.map(({ name }) => name)).not.toContain('a100');
    expect(grantScopes(scopes(...names.slice(-1)), alice, policy)).toHaveLength(1);
    const hidden = [...names.slice(0, 100).map(() => 'repository:Bad:pull'), 'repository:good:pull'];
    expect(grantScopes(scopes(...hidden), alice, policy)).toEqual([]);
  });

  const anyScope: fc.Arbitrary<Scope> = fc.record({
    type: fc.constantFrom('repository', 'repository', 'registry', 'host'),
    name: fc.constantFrom('a', 'dev/a', 'dev/b', 'ops/a', 'catalog', 'Bad', '**'),
    actions: fc.uniqueArray(fc.constantFrom('pull', 'push', 'delete', '*', 'admin')),
  });
  const anyRule = fc.record({
    repositories: fc.subarray(['**', 'dev/**', 'a', 'ops/*']),
    actions: fc.subarray([...ACTIONS]),
    when: fc.constantFrom('true', 'false', '"dev" in identity.groups', '"ops" in identity.groups'),
  });

  it('for any rules and scopes, grants exactly what is asked for and allowed', () => {
    fc.assert(
      fc.property(
        fc.array(anyRule, { maxLength: 4 }),
        fc.array(anyScope, { maxLength: 8 }),
        (rules, asked) => {
          const anyPolicy = policyOf(...rules);
          const granted = grantScopes(asked, alice, anyPolicy);
          const isAsked = (type: string, name: string, action: string) =>
            asked.some(
              (scope) =>
                scope.type === type &&
                scope.name === name &&
                (scope.actions.includes(action) || (type === 'repository' && scope.actions.includes('*'))),
            );
          for (const { type, name, actions } of granted) {
            expect(actions.length).toBeGreaterThan(0);
            for (const action of actions) {
              expect(isAsked(type, name, action)).toBe(true);
              if (type === 'registry') expect([name, action]).toEqual(['catalog', '*']);
              else expect([type, allows(name, action)]).toEqual(['repository', true]);
            }
          }
          for (const { name } of asked.filter(({ type }) => type === 'repository')) {
            for (const action of ACTIONS) {
              const isGranted = granted.some(
                (scope) => scope.name === name && scope.actions.includes(action),
              );
              expect(isGranted).toBe(isAsked('repository', name, action) && allows(name, action));
            }
          }
          expect(new Set(granted.map(({ type, name }) => `${type}:${name}`)).size).toBe(granted.length);

          function allows(name: string, action: string): boolean {
            const repository = parseRepositoryName(name);
            const known = ACTIONS.find((one) => one === action);
            return !!repository && !!known && anyPolicy.decide(alice, repository, known).allowed;
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
