import { errors, jwtVerify } from 'jose';
import type { Clock } from '../../../core/index.ts';
import type { KeySource } from '../key-sets/index.ts';
import { readToken } from './read-token.ts';

/** What a token has to be. */
export interface TokenExpectations {
  /** Exact. Undefined where the keys alone say who signed. */
  readonly issuer: string | undefined;
  /** One of them has to be the token's audience, or among its audiences; exact. */
  readonly audiences: readonly string[];
  readonly leewayMs: number;
  /** Since `iat`. */
  readonly maximumAgeMs?: number | undefined;
}

export type CheckedToken =
  | { readonly type: 'valid'; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'cannot-tell'; readonly reason: string; readonly cause?: unknown };

/** A logout token or a security event is signed by the same keys for the same audience. RFC 8725, section 3.11. */
const TOKEN_TYPES = ['jwt', 'jose', 'at+jwt'];
const NEVER = 100 * 365 * 24 * 3600;

/**
 * Verifies a JWT: the key is the one of the set that has the token's `kid`, and is used with its own algorithm alone.
 * Keys, certificates and links in the token's header play no part.
 * @see RFC 7519, section 7.2; RFC 8725
 */
export async function checkToken(
  text: string,
  expectations: TokenExpectations,
  { keys, clock }: { readonly keys: KeySource; readonly clock: Clock },
): Promise<CheckedToken> {
  const token = readToken(text);
  if (!token) return refused('it is no JWT');
  const { issuer, audiences, leewayMs, maximumAgeMs } = expectations;
  // Looked at before any key is asked for: tokens of others cause no fetch.
  if (issuer !== undefined && token.claims.iss !== issuer) return refused('another issuer');
  const { kid, crit, typ } = token.header;
  if (crit !== undefined) return refused('its header demands extensions');
  if (typ !== undefined && !isTokenType(typ)) return refused('its type is none that logs in');
  if (kid !== undefined && typeof kid !== 'string') return refused('its key id is no text');

  const answer = await keys.find(kid);
  if (answer.type === 'unknown') return refused('the issuer has no such key');
  if (answer.type === 'unavailable') {
    return { type: 'cannot-tell', reason: "the issuer's keys can't be had", cause: answer.cause };
  }
  const { key, algorithm } = answer.key;
  try {
    const { payload } = await jwtVerify(text, key, {
      algorithms: [algorithm],
      audience: [...audiences],
      ...(issuer !== undefined && { issuer }),
      requiredClaims: ['exp', 'iat'],
      clockTolerance: leewayMs / 1000,
      currentDate: new Date(clock.now()),
      // With a limit, jose also refuses what is from the future.
      maxTokenAge: maximumAgeMs === undefined ? NEVER : maximumAgeMs / 1000,
    });
    return Number.isFinite(payload.exp) ? { type: 'valid', claims: payload } : refused('it never ends');
  } catch (error) {
    // The error itself holds the claims; its words are not for the log.
    if (error instanceof errors.JOSEError) return refused(describe(error));
    throw error;
  }
}

function isTokenType(type: unknown): boolean {
  return typeof type === 'string' && TOKEN_TYPES.includes(type.toLowerCase().replace(/^application\//, ''));
}

function describe(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return error.claim === 'iat' ? 'it is too old' : 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.reason === 'missing'
      ? `it has no ${error.claim}`
      : `its ${error.claim} is not the right one`;
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  if (error instanceof errors.JOSEAlgNotAllowed) return "its algorithm is not its key's";
  return 'it is malformed';
}

function refused(reason: string): CheckedToken {
  return { type: 'refused', reason };
}
