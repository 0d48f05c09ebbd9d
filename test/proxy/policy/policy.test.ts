import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRepositoryName, type RepositoryName } from '../../../src/oci/index.ts';
import { anonymousIdentity, type Identity } from '../../../src/proxy/identity/index.ts';
import { ACTIONS, authorizationOptions, createPolicy, RuleError } from '../../../src/proxy/policy/index.ts';

const alice: Identity = {
  verifier: 'staff',
  name: 'alice',
  groups: ['platform', 'dev'],
  claims: { id: 7, ratio: 0.5, org: { teams: ['a', 'b'] }, constructor: 'x', __proto__: 'y' },
};

function repository(text: string): RepositoryName {
  const name = parseRepositoryName(text);
  if (!name) throw new Error(`${text} is no repository name`);
  return name;
}

function policyOf(...rules: object[]) {
  const named = rules.map((rule, index) => ({
    name: `r${index}`,
    repositories: ['**'],
    actions: ['pull'],
    ...rule,
  }));
  return createPolicy(authorizationOptions.parse({ rules: named }));
}

function pulls(when: string, identity: Identity = alice): boolean {
  return policyOf({ when }).decide(identity, repository('app'), 'pull').allowed;
}

function ruleError(...rules: object[]): RuleError {
  try {
    policyOf(...rules);
  } catch (error) {
    if (error instanceof RuleError) return error;
    throw error;
  }
  throw new Error('the rules were accepted');
}

describe('decide', () => {
  it('denies when there are no rules', () => {
    const policy = createPolicy({ rules: [] });
    expect(policy.decide(alice, repository('app'), 'pull')).toEqual({ allowed: false, rule: undefined });
    expect(policy.explain(alice, repository('app'), 'pull')).toEqual([]);
  });

  it('names the first rule that grants', () => {
    const policy = policyOf(
      { when: 'false' },
      { name: 'second', repositories: ['x', 'a/**'] },
      { name: 'third' },
    );
    expect(policy.decide(alice, repository('a/b'), 'pull')).toEqual({ allowed: true, rule: 'second' });
    expect(policy.decide(alice, repository('b'), 'pull')).toEqual({ allowed: true, rule: 'third' });
    expect(policy.decide(alice, repository('b'), 'push')).toEqual({ allowed: false, rule: undefined });
  });

  it('takes a rule without repositories or without actions for one that grants nothing', () => {
    const policy = policyOf({ repositories: [] }, { actions: [] });
    expect(policy.decide(alice, repository('a'), 'pull').allowed).toBe(false);
  });

  it.each([
    'identity.verifier == "staff"',
    '"platform" in identity.groups',
    'identity.groups.exists(g, g.startsWith("plat"))',
    'identity.claims.id == 7',
    'identity.claims.id > 6 && identity.claims.id < 8.5',
    'identity.claims.ratio == 0.5',
    'identity.claims.id + 1 == 8 && identity.claims.id % 2 == 1',
    '"b" in identity.claims.org.teams',
    'identity.claims["constructor"] == "x"',
    'has(identity.claims.id) && !has(identity.claims.nothing)',
    '.identity.name == "alice"',
    'identity.groups.exists(identity, identity == "dev")',
    'type(identity.name) == string',
    'identity.name.matches("^a[a-z]+$")',
    '[1, 2].map(x, x + 1)[0] == 2 && {"a": 1}.a == 1',
  ])('grants where %s', (when) => {
    expect(pulls(when)).toBe(true);
  });

  it.each([
    ['false', 'false'],
    ['another type than bool', '"true"'],
    ['a number', '1'],
    ['the identity itself', 'identity'],
    ['a claim that is missing', 'identity.claims.nothing == "x"'],
    ['the negation of a claim that is missing', '!(identity.claims.nothing == "x")'],
    ['a claim of a prototype', 'identity.claims.toString == "x"'],
    ['a presence test on a prototype', 'has(identity.claims.hasOwnProperty)'],
    ['no overload', 'identity.name + 1 == 2'],
    ['a division by zero', '1 / 0 == 1'],
    ['an index out of bounds', 'identity.groups[9] == "x"'],
    ['a regular expression that is none', 'identity.name.matches("(")'],
  ])('denies on %s', (_, when) => {
    expect(pulls(when)).toBe(false);
  });

  it('is not slowed by a regular expression on which backtracking never ends', () => {
    expect(pulls('identity.name.matches("^(a+)+$")', { ...alice, name: `${'a'.repeat(5000)}!` })).toBe(false);
  });

  it('denies on claims that are not JSON', () => {
    expect(pulls('identity.name == "alice"', { ...alice, claims: { f: () => 1 } })).toBe(false);
  });

  it('looks at each identity anew', () => {
    const policy = policyOf({ when: 'identity.name == "alice"' });
    const decide = (identity: Identity) => policy.decide(identity, repository('app'), 'pull').allowed;
    expect([
      decide(alice),
      decide({ ...alice, name: 'bob' }),
      decide(anonymousIdentity),
      decide(alice),
    ]).toEqual([true, false, false, true]);
  });
});

describe('a rule is refused', () => {
  it('with its place, name and key for a bad pattern', () => {
    const error = ruleError({}, { name: 'broken', repositories: ['ok', 'a**'] });
    expect(error).toMatchObject({ ruleIndex: 1, rule: 'broken', key: 'repositories' });
    expect(error.message).toMatch(/^a\*\*: /);
  });

  it.each([
    ['a syntax error', 'identity.name ==', /line 1, column \d+/],
    ['an unknown name', 'user == "x"', /there is no user/],
    ['an unknown name in a macro', 'identity.groups.exists(g, g == x)', /there is no x/],
    ['a macro variable outside the macro', 'identity.groups.exists(g, true) && g == ""', /there is no g/],
    ['an unknown function', 'lookup(identity.name)', /there is no function lookup/],
    ['an unknown method', 'identity.name.reversed() == ""', /there is no function reversed/],
    [
      'an unknown field',
      'identity.group == "x"',
      /identity has no group; it has verifier, name, groups, claims/,
    ],
    ['a presence test on an unknown field', 'has(identity.user)', /identity has no user/],
    ['an unknown name in a map', '{"a": x}.a == 1', /there is no x/],
    ['a message', 'Foo{a: 1} == identity', /there is no type Foo/],
    ['deep nesting', `${'('.repeat(2000)}true${')'.repeat(2000)}`, /nested too deeply/],
    ['a long expression', `"${'a'.repeat(5000)}" == ""`, /4096/],
  ])('for %s', (_, when, message) => {
    const error = ruleError({ name: 'broken', when });
    expect(error).toMatchObject({ ruleIndex: 0, rule: 'broken', key: 'when' });
    expect(error.message).toMatch(message);
  });
});

describe('explain', () => {
  it('says of every rule why', () => {
    const policy = policyOf(
      { when: 'identity.name == "bob"' },
      { when: 'identity.claims.nothing == 1' },
      { repositories: ['other/**'] },
      { actions: ['delete'], repositories: ['x'], when: 'false' },
      { repositories: ['x', 'a/**'] },
      { when: '1' },
    );
    expect(policy.explain(alice, repository('a/b'), 'pull')).toEqual([
      { rule: 'r0', granted: false, reason: 'when is false' },
      { rule: 'r1', granted: false, reason: 'when could not be evaluated: field not found: nothing' },
      { rule: 'r2', granted: false, reason: 'no pattern of repositories matches' },
      {
        rule: 'r3',
        granted: false,
        reason: 'when is false; no pattern of repositories matches; does not grant pull',
      },
      { rule: 'r4', granted: true, reason: 'granted by pattern a/**' },
      {
        rule: 'r5',
        granted: false,
        reason: 'when could not be evaluated: the expression is neither true nor false',
      },
    ]);
  });
});

const groups = ['red', 'green', 'blue'];
const conditions = [
  undefined,
  ...groups.map((group) => ({
    when: `"${group}" in identity.groups`,
    holds: (i: Identity) => i.groups.includes(group),
  })),
  { when: 'identity.name == "alice"', holds: (i: Identity) => i.name === 'alice' },
  { when: 'identity.claims.level >= 3', holds: (i: Identity) => Number(i.claims.level) >= 3 },
  { when: 'identity.claims', holds: () => false },
] as const;
const patterns = [
  { text: '**', means: () => true },
  { text: 'a/**', means: (name: string) => name.startsWith('a/') },
  { text: '*', means: (name: string) => !name.includes('/') },
  { text: 'a/*', means: (name: string) => /^a\/[^/]+$/.test(name) },
  { text: 'b', means: (name: string) => name === 'b' },
] as const;

const anyRule = fc.record({
  condition: fc.constantFrom(...conditions),
  patterns: fc.subarray([...patterns]),
  actions: fc.subarray([...ACTIONS]),
});
const anyIdentity: fc.Arbitrary<Identity> = fc.record({
  verifier: fc.constant('v'),
  name: fc.constantFrom('alice', 'bob'),
  groups: fc.subarray(groups),
  claims: fc.oneof(fc.constant({}), fc.record({ level: fc.integer({ min: 0, max: 5 }) })),
});
const anyName = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((segments) => repository(segments.join('/')));

describe('for any rules, identity, name and action', () => {
  it('decide agrees with the plain definition, and explain with decide', () => {
    fc.assert(
      fc.property(
        fc.array(anyRule, { maxLength: 5 }),
        anyIdentity,
        anyName,
        fc.constantFrom(...ACTIONS),
        (rules, identity, name, action) => {
          const policy = policyOf(
            ...rules.map((rule) => ({
              ...(rule.condition && { when: rule.condition.when }),
              repositories: rule.patterns.map(({ text }) => text),
              actions: rule.actions,
            })),
          );
          const granting = rules.flatMap((rule, index) =>
            rule.actions.includes(action) &&
            rule.patterns.some(({ means }) => means(name)) &&
            (rule.condition?.holds(identity) ?? true)
              ? [`r${index}`]
              : [],
          );
          const verdicts = policy.explain(identity, name, action);
          expect(policy.decide(identity, name, action)).toEqual({
            allowed: granting.length > 0,
            rule: granting[0],
          });
          expect(verdicts.filter(({ granted }) => granted).map(({ rule }) => rule)).toEqual(granting);
          expect(verdicts).toHaveLength(rules.length);
        },
      ),
      { numRuns: 500 },
    );
  });
});
