import type { CelMap } from '@bufbuild/cel';
import {
  PatternError,
  parseRepositoryPattern,
  type RepositoryName,
  type RepositoryPattern,
} from '../../oci/index.ts';
import type { Identity } from '../identity/index.ts';
import {
  bindIdentity,
  type Condition,
  ConditionError,
  type ConditionResult,
  compileCondition,
} from './condition.ts';
import type { AuthorizationOptions, RuleOptions } from './options.ts';
import type { Action, Decision, Policy, RuleVerdict } from './policy.ts';

/** A rule that can't be compiled: where it stands and what is wrong with it. */
export class RuleError extends Error {
  constructor(
    /** Place in `authorization.rules`, from 0. */
    readonly ruleIndex: number,
    /** The rule's name. */
    readonly rule: string,
    readonly key: 'when' | 'repositories',
    message: string,
  ) {
    super(message);
    this.name = 'RuleError';
  }
}

interface Rule {
  readonly name: string;
  readonly when: Condition | undefined;
  readonly patterns: readonly RepositoryPattern[];
  readonly actions: ReadonlySet<Action>;
}

const DENIED: Decision = { allowed: false, rule: undefined };
const TRUE: ConditionResult = { type: 'true' };

/**
 * Compiles the rules. A rule without repositories or without actions grants nothing.
 * @throws {RuleError} for a bad expression or pattern
 */
export function createPolicy(options: AuthorizationOptions): Policy {
  const rules = options.rules.map(compileRule);
  // An expression depends on the identity alone, so its result is good for as long as the identity is.
  const results = new WeakMap<Identity, Map<Rule, ConditionResult>>();
  const bindings = new WeakMap<Identity, CelMap>();

  function evaluate(rule: Rule, identity: Identity): ConditionResult {
    if (!rule.when) return TRUE;
    const known = results.get(identity) ?? new Map<Rule, ConditionResult>();
    results.set(identity, known);
    const result = known.get(rule) ?? evaluateAnew(rule.when, identity);
    known.set(rule, result);
    return result;
  }

  function evaluateAnew(when: Condition, identity: Identity): ConditionResult {
    try {
      const bound = bindings.get(identity) ?? bindIdentity(identity);
      bindings.set(identity, bound);
      return when(bound);
    } catch (error) {
      return { type: 'failed', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  return {
    decide(identity, repository, action): Decision {
      const granting = rules.find(
        (rule) =>
          rule.actions.has(action) &&
          matchingPattern(rule, repository) !== undefined &&
          evaluate(rule, identity).type === 'true',
      );
      return granting ? { allowed: true, rule: granting.name } : DENIED;
    },
    explain(identity, repository, action): readonly RuleVerdict[] {
      return rules.map((rule) => explainRule(rule, evaluate(rule, identity), repository, action));
    },
  };
}

function compileRule(options: RuleOptions, index: number): Rule {
  const fail = (key: 'when' | 'repositories', message: string): RuleError =>
    new RuleError(index, options.name, key, message);
  return {
    name: options.name,
    actions: new Set(options.actions),
    patterns: options.repositories.map((text) => {
      try {
        return parseRepositoryPattern(text);
      } catch (error) {
        throw error instanceof PatternError ? fail('repositories', `${text}: ${error.message}`) : error;
      }
    }),
    when: compileWhen(),
  };

  function compileWhen(): Condition | undefined {
    if (options.when === undefined) return undefined;
    try {
      return compileCondition(options.when);
    } catch (error) {
      throw error instanceof ConditionError ? fail('when', error.message) : error;
    }
  }
}

function matchingPattern(rule: Rule, repository: RepositoryName): RepositoryPattern | undefined {
  return rule.patterns.find((pattern) => pattern.matches(repository));
}

function explainRule(
  rule: Rule,
  condition: ConditionResult,
  repository: RepositoryName,
  action: Action,
): RuleVerdict {
  const pattern = matchingPattern(rule, repository);
  const obstacles = [
    ...(condition.type === 'false' ? ['when is false'] : []),
    ...(condition.type === 'failed' ? [`when could not be evaluated: ${condition.reason}`] : []),
    ...(pattern ? [] : ['no pattern of repositories matches']),
    ...(rule.actions.has(action) ? [] : [`does not grant ${action}`]),
  ];
  const granted = pattern !== undefined && obstacles.length === 0;
  return {
    rule: rule.name,
    granted,
    reason: granted ? `granted by pattern ${pattern.text}` : obstacles.join('; '),
  };
}
