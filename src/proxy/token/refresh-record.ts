import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { Secret } from '../../core/index.ts';

/** A refresh token taken apart: the family is a key of the state store, the secret is never kept. */
export interface RefreshToken {
  readonly family: string;
  readonly secret: string;
}

const FAMILY_BYTES = 16;
const SECRET_BYTES = 32;
const FORMAT = /^drp_rt_([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;

/** What the state store keeps of a family of refresh tokens: the one that is good, and those before it. */
const refreshRecord = z.object({
  /** SHA-256 of the secret that is good. */
  secretHash: z.string(),
  kind: z.enum(['fixed', 'rotating']),
  service: z.string(),
  identity: z.object({
    verifier: z.string(),
    name: z.string(),
    groups: z.array(z.string()),
    claims: z.record(z.string(), z.unknown()),
  }),
  anchor: z.string().optional(),
  /** The latest first; `at` is when it was exchanged, in milliseconds since the epoch. */
  spent: z.array(z.object({ secretHash: z.string(), at: z.number() })),
  created: z.number(),
});
export type RefreshRecord = z.infer<typeof refreshRecord>;

export function parseRefreshToken(token: Secret): RefreshToken | undefined {
  const [, family, secret] = FORMAT.exec(token.reveal()) ?? [];
  return family !== undefined && secret !== undefined ? { family, secret } : undefined;
}

export function formatRefreshToken({ family, secret }: RefreshToken): Secret {
  return new Secret(`drp_rt_${family}.${secret}`);
}

export function newFamily(randomBytes: (size: number) => Buffer): string {
  return randomBytes(FAMILY_BYTES).toString('base64url');
}

export function newSecret(randomBytes: (size: number) => Buffer): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Whether the hash is that of the secret, in a time that does not depend on it. */
export function isHashOf(secretHash: string, secret: string): boolean {
  const [stored, shown] = [Buffer.from(secretHash), Buffer.from(hashSecret(secret))];
  return stored.length === shown.length && timingSafeEqual(stored, shown);
}

/** undefined for what was not written by this version of the program. */
export function parseRefreshRecord(value: string): RefreshRecord | undefined {
  try {
    return refreshRecord.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined;
  }
}
