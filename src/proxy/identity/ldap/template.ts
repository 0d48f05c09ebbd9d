import { FilterParser } from 'ldapts';
import { parseDistinguishedName } from './distinguished-name.ts';
import { escapeFilterValue, escapeNameValue } from './escape.ts';

/** Values for the placeholders of a template, such as `{username}`. */
export type TemplateValues = Readonly<Record<string, string>>;

const PLACEHOLDER = /\{([^{}]*)\}/g;
/** Characters that Active Directory allows in no user name, and that would change what the template means. */
const NOT_IN_A_LOGIN_NAME = /["/\\[\]:;|=,+*?<>@]/;

/** The names of the placeholders that a template uses. */
export function placeholdersOf(template: string): string[] {
  return [...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
}

/** Fills in a search filter (RFC 4515). */
export function fillFilter(template: string, values: TemplateValues): string {
  return fill(template, values, escapeFilterValue);
}

/** @returns what is wrong with a filter template, or undefined */
export function filterProblem(template: string, allowed: readonly string[]): string | undefined {
  const unknown = placeholdersOf(template).find((name) => !allowed.includes(name));
  if (unknown !== undefined) return `{${unknown}} is not known here; expected ${listOf(allowed)}`;
  if (/[{}]/.test(template.replace(PLACEHOLDER, ''))) return 'has a { or } too many; write \\7b and \\7d';
  if (!isBalanced(template)) return 'expected a search filter in parentheses, such as (uid={username})';
  const items = template.split(/[()]/).filter((item) => item.includes('{'));
  if (items.some((item) => !/^[^={}]*=/.test(item))) return 'a placeholder may only stand behind a =';
  // Such a value is a distinguished name, which would need escapes of its own.
  if (items.some((item) => item.indexOf('=') !== item.lastIndexOf('='))) {
    return 'a placeholder may not be part of a distinguished name';
  }
  try {
    FilterParser.parseString(template.replace(PLACEHOLDER, 'x'));
    return undefined;
  } catch (error) {
    return `is no search filter: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * Fills in the name that a user binds with.
 * @returns undefined where this user name can't stand in a template that is not a distinguished name
 */
export function fillBindName(template: string, username: string): string | undefined {
  if (isNameTemplate(template)) return fill(template, { username }, escapeNameValue);
  return NOT_IN_A_LOGIN_NAME.test(username) ? undefined : fill(template, { username }, (text) => text);
}

/** Whether what a user binds with is a distinguished name, and not Active Directory's `{username}@example.com`. */
export function isNameTemplate(template: string): boolean {
  return template.includes('=');
}

/** @returns what is wrong with a template for the name that a user binds with, or undefined */
export function bindNameProblem(template: string): string | undefined {
  const placeholders = placeholdersOf(template);
  if (placeholders.length !== 1 || placeholders[0] !== 'username') return 'needs {username}, once';
  if (isNameTemplate(template)) {
    const name = parseDistinguishedName(template);
    const inValue = name?.some((part) => part.some(({ value }) => value.includes('{username}')));
    return inValue ? undefined : 'is no distinguished name with {username} as a value';
  }
  const plain = /^\{username\}@[A-Za-z0-9.-]+$|^[A-Za-z0-9._-]+\\\{username\}$/.test(template);
  return plain ? undefined : 'expected uid={username},ou=…, {username}@example.com or EXAMPLE\\{username}';
}

function fill(template: string, values: TemplateValues, escapeText: (text: string) => string): string {
  return template.replace(PLACEHOLDER, (_, name: string) => escapeText(values[name] ?? ''));
}

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const [index, character] of [...text].entries()) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    // Nothing may stand outside of the one outermost pair.
    if (depth < 0 || (depth === 0 && index < [...text].length - 1)) return false;
  }
  return depth === 0 && text.startsWith('(');
}

function listOf(names: readonly string[]): string {
  return names.map((name) => `{${name}}`).join(' or ');
}
