import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import type { JSONWebKeySet, JWK } from 'jose';
import { z } from 'zod';

export type SigningAlgorithm = 'ES256' | 'EdDSA';

/** A key pair that tokens are signed with. One `kid` is one key is one algorithm. */
export interface SigningKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Holds no private member. */
  readonly publicJwk: JWK;
}

export interface SigningKeys {
  /** New tokens are signed with it. */
  readonly current: SigningKey;
  /** Every key whose tokens are accepted, by `kid`. */
  readonly byId: ReadonlyMap<string, SigningKey>;
}

/** Signing keys that can't be used. The message never holds key material. */
export class SigningKeyError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SigningKeyError';
  }
}

const MAXIMUM_KEYS = 16;
const member = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const common = {
  kid: z.string().min(1).max(128).optional(),
  use: z.literal('sig').optional(),
};
const privateJwk = z.union([
  z.object({
    ...common,
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    alg: z.literal('ES256').optional(),
    x: member,
    y: member,
    d: member,
  }),
  z.object({
    ...common,
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    alg: z.enum(['EdDSA', 'Ed25519']).optional(),
    x: member,
    d: member,
  }),
]);
type PrivateJwk = z.infer<typeof privateJwk>;

const keySet = z.object({ keys: z.array(z.unknown()).min(1).max(MAXIMUM_KEYS) });

/**
 * Reads a JWK set with private keys: P-256 or Ed25519. A key without `kid` is known by its thumbprint.
 * @throws {SigningKeyError}
 * @see RFC 7517; RFC 7638 for the thumbprint
 */
export function parseSigningKeys(text: string): SigningKeys {
  const { keys } = parseKeySet(text);
  const byId = new Map<string, SigningKey>();
  for (const [index, candidate] of keys.entries()) {
    const key = readKey(candidate, `key ${index + 1}`);
    if (byId.has(key.kid)) throw new SigningKeyError(`key ${index + 1} has the kid of an earlier key`);
    byId.set(key.kid, key);
  }
  const [current] = byId.values();
  if (!current) throw new SigningKeyError('there are no keys');
  return { current, byId };
}

/** A JWK set with one new ES256 key, as text for a file. */
export function generateSigningKeys(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = privateJwk.parse(privateKey.export({ format: 'jwk' }));
  return `${JSON.stringify({ keys: [{ ...jwk, kid: thumbprint(jwk), alg: 'ES256', use: 'sig' }] }, null, 2)}\n`;
}

/** What others may know of the keys. */
export function publicKeySet(keys: SigningKeys): JSONWebKeySet {
  return { keys: [...keys.byId.values()].map(({ publicJwk }) => ({ ...publicJwk })) };
}

/** Keeps no cause: what the JSON parser and the crypto library say may quote what they read. */
function parseKeySet(text: string): z.infer<typeof keySet> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SigningKeyError('expected a JWK set in JSON');
  }
  const parsed = keySet.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SigningKeyError(`expected a JWK set: {"keys": [...]} with 1 to ${MAXIMUM_KEYS} keys`);
}

function readKey(candidate: unknown, where: string): SigningKey {
  const parsed = privateJwk.safeParse(candidate);
  if (!parsed.success) {
    throw new SigningKeyError(`${where} is no private key for ES256 (P-256) or EdDSA (Ed25519)`);
  }
  const jwk = parsed.data;
  const algorithm = jwk.kty === 'EC' ? 'ES256' : 'EdDSA';
  const kid = jwk.kid ?? thumbprint(jwk);
  const publicPart = requiredMembers(jwk);
  const pair = importPair(jwk, publicPart);
  if (!pair) throw new SigningKeyError(`the private and the public half of ${where} are not a pair`);
  return { kid, algorithm, ...pair, publicJwk: { ...publicPart, kid, alg: algorithm, use: 'sig' } };
}

function importPair(
  { d, ...jwk }: PrivateJwk,
  publicPart: PublicMembers,
): Pick<SigningKey, 'privateKey' | 'publicKey'> | undefined {
  const digest = jwk.kty === 'EC' ? 'sha256' : null;
  const sample = Buffer.from('sample');
  try {
    const privateKey = createPrivateKey({ key: { ...publicPart, d }, format: 'jwk' });
    const publicKey = createPublicKey({ key: publicPart, format: 'jwk' });
    const fits = verify(digest, sample, publicKey, sign(digest, sample, privateKey));
    return fits ? { privateKey, publicKey } : undefined;
  } catch {
    return undefined;
  }
}

type PublicMembers = { crv: string; kty: string; x: string; y?: string };

/** The members that make up a public key, in the order that a thumbprint needs. */
function requiredMembers(jwk: PrivateJwk): PublicMembers {
  const { crv, kty, x } = jwk;
  return jwk.kty === 'EC' ? { crv, kty, x, y: jwk.y } : { crv, kty, x };
}

function thumbprint(jwk: PrivateJwk): string {
  return createHash('sha256')
    .update(JSON.stringify(requiredMembers(jwk)))
    .digest('base64url');
}
