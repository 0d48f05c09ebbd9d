import type { z } from 'zod';
import { issueMessage } from './issue-message.ts';
import { suggestion } from './nearest-key.ts';
import type { Finding, KeyPath } from './problem.ts';

export type SchemaCheck<T> =
  | { readonly type: 'valid'; readonly value: T }
  | { readonly type: 'invalid'; readonly findings: readonly Finding[] };

/** Parses a plain value by a schema; every issue becomes a finding with a message in words. */
export function checkSchema<T>(schema: z.ZodType<T>, value: unknown): SchemaCheck<T> {
  const result = schema.safeParse(value, { error: issueMessage });
  if (result.success) return { type: 'valid', value: result.data };
  const findings = result.error.issues.flatMap((issue) => expand(issue, []));
  return { type: 'invalid', findings: withoutFollowingFaults(findings) };
}

function expand(issue: z.core.$ZodIssue, prefix: KeyPath): Finding[] {
  const path: KeyPath = [
    ...prefix,
    ...issue.path.map((key) => (typeof key === 'number' ? key : String(key))),
  ];
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) => ({
      path: [...path, key],
      message: messages[index] ?? 'unknown key',
      atKey: true,
    }));
  }
  if (issue.code === 'invalid_key') return [{ path, message: issue.message, atKey: true }];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) return expandUnion(issue.errors, path);
  return [{ path, message: issue.message }];
}

/** Of several forms that all do not fit, the one that fits best is most likely meant. */
function expandUnion(forms: readonly z.core.$ZodIssue[][], path: KeyPath): Finding[] {
  const [best] = forms.toSorted((one, other) => misfit(one) - misfit(other));
  if (!best || misfit(best) === Number.POSITIVE_INFINITY) {
    const messages = new Set(forms.flat().map((issue) => issue.message));
    return [{ path, message: [...messages].join(', or ') }];
  }
  return best.flatMap((issue) => expand(issue, path));
}

/** The number of issues; endless when already the kind of value is another. */
function misfit(issues: readonly z.core.$ZodIssue[]): number {
  const anotherKind = issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0);
  return anotherKind ? Number.POSITIVE_INFINITY : issues.length;
}

/** A mistyped key is one mistake, although the key that was meant is then missing. */
function withoutFollowingFaults(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ path, message }) => {
    const key = path.at(-1);
    if (!message.startsWith('missing') || typeof key !== 'string') return true;
    return !findings.some(
      (other) =>
        other.atKey &&
        other.path.length === path.length &&
        other.path.slice(0, -1).every((part, index) => part === path[index]) &&
        other.message.endsWith(suggestion(key)),
    );
  });
}
