import type { Secret } from '../../core/index.ts';
import { isRecord } from '../../oci/index.ts';

const MAXIMUM_TOKEN_LENGTH = 16_384;
const MAXIMUM_ISSUER_LENGTH = 1024;

/**
 * The `iss` that a password claims when it looks like a JWT. Nothing is verified here: it only says who is to be asked.
 * @see RFC 7519, section 4.1.1
 */
export function claimedIssuer(password: Secret): string | undefined {
  const text = password.reveal();
  if (text.length > MAXIMUM_TOKEN_LENGTH || !text.startsWith('eyJ')) return undefined;
  const payload = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*$/.exec(text)?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const issuer = isRecord(claims) ? claims.iss : undefined;
    return typeof issuer === 'string' && issuer.length <= MAXIMUM_ISSUER_LENGTH ? issuer : undefined;
  } catch {
    return undefined;
  }
}
