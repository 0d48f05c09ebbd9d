import { z } from 'zod';
import { isRecord } from '../../../oci/index.ts';

type Claims = Readonly<Record<string, unknown>>;

const UNSAFE_NAMES = ['__proto__', 'constructor', 'prototype'];
const MAXIMUM_NAME_LENGTH = 1024;

/** The name of a claim: the whole name, or a way into objects with dots between. */
export const claimName = z
  .string()
  .min(1)
  .max(256)
  .refine(
    (text) => !text.split('.').some((part) => UNSAFE_NAMES.includes(part)),
    'expected the name of a claim',
  );

/**
 * The value of a claim. A claim of exactly this name comes first (`kubernetes.io`); else dots lead into objects
 * (`kubernetes.namespace`).
 */
export function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  const dot = name.indexOf('.');
  if (dot < 0) return undefined;
  const [first, rest] = [name.slice(0, dot), name.slice(dot + 1)];
  const inner = Object.hasOwn(claims, first) ? claims[first] : undefined;
  return isRecord(inner) ? claimAt(inner, rest) : undefined;
}

/** The claims that go into the identity, under the names in the list. What is missing is left out. */
export function pickClaims(claims: Claims, names: readonly string[]): Record<string, unknown> {
  const entries = names.flatMap((name) => {
    const value = claimAt(claims, name);
    return value === undefined || value === null ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

/** A name to go into the identity: a text, or a number as many services have for users. */
export function nameFrom(value: unknown): string | undefined {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || text === '' || text.length > MAXIMUM_NAME_LENGTH) return undefined;
  return /\p{Cc}/u.test(text) ? undefined : text;
}

/** Groups: a list of texts, one text, or none at all. @returns undefined for anything else */
export function groupsFrom(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (!Array.isArray(value)) return undefined;
  return value.every((group) => typeof group === 'string' && group !== '') ? [...new Set(value)] : undefined;
}
