import { type CelInput, type CelMap, celEnv, celMap, isCelError, parse, plan } from '@bufbuild/cel';
import type { Identity } from '../identity/index.ts';
import { checkExpression } from './expression-check.ts';

/** What a condition comes to for one identity. Anything but `true` is a no. */
export type ConditionResult =
  | { readonly type: 'true' }
  | { readonly type: 'false' }
  | { readonly type: 'failed'; readonly reason: string };

/** A `when` that has been compiled. Never throws. */
export type Condition = (identity: CelMap) => ConditionResult;

/** What is wrong with an expression, in words. */
export class ConditionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConditionError';
  }
}

const MAXIMUM_EXPRESSION_LENGTH = 4096;

/**
 * Compiles a CEL expression over the one variable `identity`.
 * @throws {ConditionError} for a syntax error, and for a name or function that does not exist
 * @see https://github.com/google/cel-spec
 */
export function compileCondition(text: string): Condition {
  if (text.length > MAXIMUM_EXPRESSION_LENGTH) {
    throw new ConditionError(`an expression has at most ${MAXIMUM_EXPRESSION_LENGTH} characters`);
  }
  const env = celEnv();
  const expression = parseExpression(text);
  const problem = checkExpression(expression, (name) => env.funcs.find(name) !== undefined);
  if (problem !== undefined) throw new ConditionError(problem);
  const evaluate = planExpression(env, expression);
  return (identity) => {
    try {
      const value = evaluate({ identity });
      if (isCelError(value)) return { type: 'failed', reason: value.message };
      if (value === true) return { type: 'true' };
      if (value === false) return { type: 'false' };
      return { type: 'failed', reason: 'the expression is neither true nor false' };
    } catch (error) {
      return { type: 'failed', reason: error instanceof Error ? error.message : String(error) };
    }
  };
}

function parseExpression(text: string): ReturnType<typeof parse>['expr'] {
  try {
    return parse(text).expr;
  } catch (error) {
    if (error instanceof RangeError) throw new ConditionError('the expression is nested too deeply');
    const message = error instanceof Error ? error.message : String(error);
    throw new ConditionError(message.replace(/<input>:(\d+):(\d+)/, 'line $1, column $2'));
  }
}

function planExpression(env: ReturnType<typeof celEnv>, expression: ReturnType<typeof parse>['expr']) {
  try {
    return plan(env, expression);
  } catch (error) {
    throw new ConditionError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * An identity as CEL sees it. Whole numbers become CEL integers, so that `identity.claims.id == 7` compares two
 * of a kind; objects become maps, so that no claim's name can reach into a prototype.
 */
export function bindIdentity(identity: Identity): CelMap {
  return celMap(
    new Map<string, CelInput>([
      ['verifier', identity.verifier],
      ['name', identity.name],
      ['groups', [...identity.groups]],
      ['claims', bindValue(identity.claims)],
    ]),
  );
}

function bindValue(value: unknown): CelInput {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) return value.map(bindValue);
  if (typeof value === 'object') {
    return celMap(new Map(Object.entries(value).map(([key, member]) => [key, bindValue(member)])));
  }
  throw new Error(`a claim is of type ${typeof value}, which is not a JSON value`);
}
