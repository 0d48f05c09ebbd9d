import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** What is kept of an instance: whose it is, and how new its latest document was. */
const instanceRecord = z.strictObject({
  /** SHA-256 of the nonce that the instance is bound to; the nonce itself is not kept. */
  nonceHash: z.string(),
  /** Of the newest document that was accepted, in milliseconds since the epoch. */
  documentTime: z.number(),
  /** When the binding was made, in milliseconds since the epoch. */
  boundAt: z.number(),
});
export type InstanceRecord = z.infer<typeof instanceRecord>;

/** undefined for what this version of the program has not written. */
export function parseInstanceRecord(value: string): InstanceRecord | undefined {
  try {
    return instanceRecord.safeParse(JSON.parse(value)).data;
  } catch {
    return undefined;
  }
}

export function hashNonce(nonce: string): string {
  return digest(['nonce', nonce]);
}

/** The mark of a binding; another binding of the same instance has another. */
export function anchorOf(instance: string, { nonceHash, boundAt }: InstanceRecord): string {
  return digest(['binding', instance, nonceHash, boundAt]);
}

/** In a time that does not depend on where the two differ. */
export function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
