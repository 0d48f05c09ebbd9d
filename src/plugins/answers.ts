import { z } from 'zod';
import { PluginError } from './errors.ts';

/** Somebody whom a plugin knows. */
export interface PluginIdentity {
  readonly name: string;
  readonly groups: readonly string[];
  /** JSON values. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** A mark of the proof behind the login, shown to the plugin when it is asked to renew. */
  readonly anchor: string | undefined;
}

/** What a plugin says of a login. That it can't tell is a {@link PluginError}. */
export type LoginAnswer =
  | { readonly type: 'identity'; readonly identity: PluginIdentity }
  | { readonly type: 'refused'; readonly reason: string };

/** What a plugin wants shown to a registry. */
export interface PluginCredential {
  readonly username: string;
  readonly password: string;
  /** Milliseconds since the epoch; undefined for one that does not end by itself. */
  readonly expiresAt: number | undefined;
}

/** A whole identity as JSON may not be longer, in bytes: it travels in every token. */
export const MAXIMUM_IDENTITY_BYTES = 4096;
const MAXIMUM_NAME_LENGTH = 256;
const MAXIMUM_DEPTH = 16;

// Lone surrogates are no text either: they don't survive UTF-8.
const NO_CONTROL = /^[^\p{Cc}\p{Cs}]*$/u;
const label = z.string().min(1).max(MAXIMUM_NAME_LENGTH).regex(NO_CONTROL, 'holds control characters');

/** JSON of proto3 leaves empty fields out, and some write them as null. */
function orElse<T extends z.ZodType>(schema: T, fallback: z.output<T>) {
  return schema.nullish().transform((value): z.output<T> => value ?? fallback);
}

const claims = z
  .record(z.string(), z.unknown())
  .refine((value) => depthOf(value) <= MAXIMUM_DEPTH, `is nested more than ${MAXIMUM_DEPTH} deep`);

const identity = z
  .unknown()
  .refine(
    (value) => sizeOf(value) <= MAXIMUM_IDENTITY_BYTES,
    `is larger than ${MAXIMUM_IDENTITY_BYTES} bytes`,
  )
  .pipe(
    z.object({
      name: label,
      groups: orElse(z.array(label), []),
      claims: orElse(claims, {}),
      anchor: z
        .string()
        .max(MAXIMUM_NAME_LENGTH)
        .nullish()
        .transform((text) => text || undefined),
    }),
  );

const refused = z.object({ reason: orElse(z.string(), '') });
const failure = z.object({ message: orElse(z.string(), '') });
const none = z.object({});

const credential = z.object({
  username: label.regex(/^[^:]*$/, 'holds a colon'),
  password: z
    .string()
    .min(1)
    .max(64 * 1024)
    .regex(NO_CONTROL, 'holds control characters'),
  expiresAt: z.iso
    .datetime({ offset: true })
    .nullish()
    .transform((text) => (text ? Date.parse(text) : undefined)),
});

const describeAnswer = z.object({ renew: orElse(z.boolean(), false) });
const loginAnswer = z.object({
  identity: identity.optional(),
  refused: refused.optional(),
  error: failure.optional(),
});
const credentialAnswer = z.object({
  credential: credential.optional(),
  none: none.optional(),
  error: failure.optional(),
});

/** @throws {PluginError} `nonsense` */
export function parseDescribeAnswer(answer: unknown): { readonly renew: boolean } {
  return parse(describeAnswer, answer);
}

/** @throws {PluginError} `nonsense`, or `error` when the plugin says that it can't tell */
export function parseLoginAnswer(answer: unknown): LoginAnswer {
  const parsed = parse(loginAnswer, answer);
  requireOne(parsed, Object.keys(loginAnswer.shape));
  if (parsed.error) throw declaredError(parsed.error.message);
  if (parsed.identity) return { type: 'identity', identity: { ...parsed.identity } };
  return { type: 'refused', reason: parsed.refused?.reason ?? '' };
}

/**
 * @returns undefined when the plugin has no credential for this registry
 * @throws {PluginError} `nonsense`, or `error` when the plugin says that it can't tell
 */
export function parseCredentialAnswer(answer: unknown): PluginCredential | undefined {
  const parsed = parse(credentialAnswer, answer);
  requireOne(parsed, Object.keys(credentialAnswer.shape));
  if (parsed.error) throw declaredError(parsed.error.message);
  return parsed.credential && { ...parsed.credential };
}

function parse<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = tryParse(schema, answer);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.slice(0, 2).join('.') || 'the answer';
  // Only what stands in our own schema; the answer is not quoted.
  throw new PluginError('nonsense', `answered what the contract does not know: ${where}: ${issue?.message}`);
}

function tryParse<T>(schema: z.ZodType<T>, answer: unknown): z.ZodSafeParseResult<T> {
  try {
    return schema.safeParse(answer);
  } catch {
    // So deep that the stack does not suffice.
    throw new PluginError('nonsense', 'answered what can not be read');
  }
}

function requireOne(parsed: Readonly<Record<string, unknown>>, keys: readonly string[]): void {
  const present = keys.filter((key) => parsed[key] !== undefined);
  if (present.length === 1) return;
  throw new PluginError('nonsense', `answered ${present.join(' and ') || `none of ${keys.join(', ')}`}`);
}

function declaredError(message: string): PluginError {
  return new PluginError('error', message === '' ? 'it says that it can not tell' : message);
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}

/** Looks no deeper than it has to. */
function depthOf(value: unknown, above = 0): number {
  if (value === null || typeof value !== 'object' || above > MAXIMUM_DEPTH) return above;
  return Math.max(above + 1, ...Object.values(value).map((inner) => depthOf(inner, above + 1)));
}
