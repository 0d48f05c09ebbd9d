import { z } from 'zod';
import { nearestKey, suggestion } from './nearest-key.ts';

type Issue = Parameters<z.core.$ZodErrorMap>[0];

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  tuple: 'a list',
  null: 'nothing',
};

/** A longer list of known keys helps nobody. */
const MOST_LISTED_KEYS = 16;

/**
 * What is wrong, in words, for an issue to which the schema gives no message of its own. Says what was expected and
 * what kind of value was found, never the value: it may be secret. Unknown keys get one line each.
 */
export function issueMessage(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeMessage(issue.expected, issue.input);
    case 'invalid_value':
      return choiceMessage(issue.values, issue.input);
    case 'invalid_union':
      if (!issue.discriminator) return 'expected another kind of value';
      return choiceMessage(optionsOf(issue), valueAt(issue.input, issue.discriminator));
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKeyMessage(key, keysOf(issue.inst))).join('\n');
    case 'invalid_key':
      return ['not possible as a name', ...(issue.issues ?? []).map((inner) => inner.message ?? '')].join(
        ': ',
      );
    case 'too_small':
      return issue.origin === 'string' && issue.minimum === 1
        ? 'must not be empty'
        : `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${amount(issue.minimum, issue.origin)}`;
    case 'too_big':
      return `expected ${issue.inclusive === false ? 'less than' : 'at most'} ${amount(issue.maximum, issue.origin)}`;
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return `expected another form (${issue.format})`;
    default:
      return 'not valid';
  }
}

function typeMessage(expected: string, input: unknown): string {
  const kind = KINDS[expected] ?? expected;
  if (input === undefined) return `missing; expected ${kind}`;
  const quote = expected === 'string' && (typeof input === 'number' || typeof input === 'boolean');
  return `expected ${kind}, found ${kindOf(input)}${quote ? '; put it in quotes' : ''}`;
}

function kindOf(value: unknown): string {
  if (value === null) return KINDS.null ?? '';
  if (Array.isArray(value)) return KINDS.array ?? '';
  return KINDS[typeof value] ?? typeof value;
}

function choiceMessage(choices: readonly unknown[], input: unknown): string {
  const known = choices.map(String);
  const expected = known.length === 1 ? `expected ${known[0]}` : `expected one of ${known.join(', ')}`;
  if (input === undefined) return `missing; ${expected}`;
  const nearest = typeof input === 'string' ? nearestKey(input, known) : undefined;
  return nearest === undefined ? expected : `${expected}; ${suggestion(nearest)}`;
}

function unknownKeyMessage(key: string, known: readonly string[]): string {
  const nearest = nearestKey(key, known);
  if (nearest !== undefined) return `unknown key; ${suggestion(nearest)}`;
  const listed = known.length > 0 && known.length <= MOST_LISTED_KEYS;
  return listed ? `unknown key; known here: ${known.join(', ')}` : 'unknown key';
}

function optionsOf(issue: Issue): readonly unknown[] {
  return Array.isArray(issue.options) ? issue.options : [];
}

function keysOf(schema: unknown): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function amount(limit: number | bigint, origin: string): string {
  const unit = origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : '';
  return `${limit}${unit}`;
}

function valueAt(input: unknown, key: string): unknown {
  return typeof input === 'object' && input !== null && Object.hasOwn(input, key)
    ? (input as Record<string, unknown>)[key]
    : undefined;
}
