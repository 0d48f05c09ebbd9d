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

/** When a JWT ends, in milliseconds since the epoch. @returns undefined where it does not say so */
export function tokenEnd(token: string): number | undefined {
  const end = tokenClaims(token)?.exp;
  return typeof end === 'number' && Number.isFinite(end) ? end * 1000 : undefined;
}
