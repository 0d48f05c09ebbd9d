import { isRecord } from '../oci/index.ts';

/**
 * What a JWT says of itself, unverified: it is ours to show, and for somebody else to check.
 * @returns undefined for what is no JWT
 */
export function tokenClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token)?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return isRecord(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}

/**
 * When a JWT ends that was made just now: by its lifetime, so that a clock of ours that is off does not matter.
 * @returns undefined where it does not say so
 */
export function newTokenEnd(token: string, now: number): number | undefined {
  const { exp, iat } = tokenClaims(token) ?? {};
  if (typeof exp !== 'number' || typeof iat !== 'number') return undefined;
  return Number.isFinite(exp - iat) ? now + (exp - iat) * 1000 : undefined;
}

/** When a JWT ends, in milliseconds since the epoch. @returns undefined where it does not say so */
export function tokenEnd(token: string): number | undefined {
  const end = tokenClaims(token)?.exp;
  return typeof end === 'number' && Number.isFinite(end) ? end * 1000 : undefined;
}
