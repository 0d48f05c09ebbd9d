import { compactVerify, SignJWT } from 'jose';
import { type AccessClaims, accessClaims } from './access-claims.ts';
import type { SigningKey, SigningKeys } from './signing-keys.ts';

/** Longest token that is looked at, and that is issued. It has to fit into a header with others. */
export const MAXIMUM_TOKEN_LENGTH = 12_288;

const CLOCK_LEEWAY_SECONDS = 60;
const PARTS = 3;

/** Signs with the current key. */
export function signAccessToken(claims: AccessClaims, { current }: SigningKeys): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: current.algorithm, kid: current.kid, typ: 'JWT' })
    .sign(current.privateKey);
}

/**
 * Checks a token that we may have issued. Its header holds `alg`, `kid` and `typ` and nothing else: a key that it
 * brings along, names by URL or declares critical is not ours. The end is exact; a start may lie a minute ahead.
 * @param now milliseconds since the epoch
 * @returns undefined for any token that is not good. Never rejects.
 */
export async function verifyAccessToken(
  token: string,
  audience: string,
  keys: SigningKeys,
  now: number,
): Promise<AccessClaims | undefined> {
  const key = findKey(token, keys);
  if (!key) return undefined;
  try {
    const { payload } = await compactVerify(token, key.publicKey, { algorithms: [key.algorithm] });
    const parsed = accessClaims.safeParse(JSON.parse(Buffer.from(payload).toString('utf8')));
    return parsed.success && isInForce(parsed.data, audience, now) ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function findKey(token: string, keys: SigningKeys): SigningKey | undefined {
  if (token.length > MAXIMUM_TOKEN_LENGTH) return undefined;
  // One more than needed, so that a million dots are not a million parts.
  const parts = token.split('.', PARTS + 1);
  if (parts.length !== PARTS || !parts.every(isCanonicalBase64url)) return undefined;
  const header = readHeader(parts[0] ?? '');
  if (!header || Object.keys(header).length !== 3 || header.typ !== 'JWT') return undefined;
  const key = typeof header.kid === 'string' ? keys.byId.get(header.kid) : undefined;
  return key && header.alg === key.algorithm ? key : undefined;
}

/** Other spellings of the same bytes would be other tokens with the same signature. */
function isCanonicalBase64url(part: string): boolean {
  return part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part;
}

function readHeader(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isInForce({ aud, iat, nbf, exp }: AccessClaims, audience: string, now: number): boolean {
  const latestStart = now / 1000 + CLOCK_LEEWAY_SECONDS;
  return aud === audience && iat <= latestStart && nbf <= latestStart && exp * 1000 > now;
}
