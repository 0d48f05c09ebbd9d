/** Signature algorithms that tokens may use. None of them works with a shared secret. RFC 7518, section 3.1; RFC 8037. */
export const SIGNATURE_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

const SMALLEST_MODULUS_BYTES = 2048 / 8;
const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

/**
 * The one algorithm that a public key is for: what it says itself, else the first of the allowed ones that fits its
 * type. Undefined for a key that is for nothing that is allowed.
 */
export function algorithmOf(
  jwk: Readonly<Record<string, unknown>>,
  allowed: readonly SignatureAlgorithm[],
): SignatureAlgorithm | undefined {
  return allowed.find(
    (algorithm) => (jwk.alg === undefined || jwk.alg === algorithm) && fits(jwk, algorithm),
  );
}

function fits(jwk: Readonly<Record<string, unknown>>, algorithm: SignatureAlgorithm): boolean {
  if (algorithm.startsWith('RS') || algorithm.startsWith('PS')) {
    return jwk.kty === 'RSA' && modulusBytes(jwk.n) >= SMALLEST_MODULUS_BYTES;
  }
  if (algorithm.startsWith('ES')) return jwk.kty === 'EC' && jwk.crv === CURVES[algorithm];
  return jwk.kty === 'OKP' && jwk.crv === 'Ed25519';
}

function modulusBytes(modulus: unknown): number {
  if (typeof modulus !== 'string') return 0;
  const bytes = Buffer.from(modulus, 'base64url');
  const leadingZeros = bytes.findIndex((byte) => byte !== 0);
  return leadingZeros < 0 ? 0 : bytes.length - leadingZeros;
}
