import { createPublicKey, type KeyObject } from 'node:crypto';
import { isRecord } from '../../../oci/index.ts';
import { algorithmOf, type SignatureAlgorithm } from './algorithm.ts';
import { KeySetError } from './errors.ts';

/** A public key, and the one algorithm that it checks. */
export interface VerificationKey {
  readonly algorithm: SignatureAlgorithm;
  readonly key: KeyObject;
}

/** The public keys of an issuer. */
export interface KeySet {
  /** The key of this id. Without an id, the only key there is; undefined where there are several. */
  find(id: string | undefined): VerificationKey | undefined;
}

const MAXIMUM_KEYS = 100;
/** What makes a public key; whatever else an entry holds (certificates, links, private parts) is not looked at. */
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const;

/**
 * Reads a JSON Web Key Set. Keys for something else than signatures, of unknown types, or too weak are left out; an
 * id that several keys claim belongs to none.
 * @throws {KeySetError} when the text is no key set, or no key in it can be used
 * @see RFC 7517, section 5
 */
export function parseKeySet(text: string, algorithms: readonly SignatureAlgorithm[]): KeySet {
  const entries = readEntries(text);
  const ids = entries.map(({ kid }) => kid);
  const byId = new Map<string, VerificationKey>();
  const all: VerificationKey[] = [];
  for (const entry of entries) {
    const { kid } = entry;
    if (kid !== undefined && ids.filter((id) => id === kid).length > 1) continue;
    const key = importKey(entry, algorithms);
    if (!key) continue;
    all.push(key);
    if (typeof kid === 'string') byId.set(kid, key);
  }
  if (all.length === 0) throw new KeySetError('the key set holds no key that can be used');
  const only = entries.length === 1 ? all[0] : undefined;
  return { find: (id) => (id === undefined ? only : byId.get(id)) };
}

function readEntries(text: string): Record<string, unknown>[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new KeySetError('the key set is not JSON');
  }
  if (!isRecord(value) || !Array.isArray(value.keys))
    throw new KeySetError('the key set has no list of keys');
  if (value.keys.length > MAXIMUM_KEYS) {
    throw new KeySetError(`the key set holds more than ${MAXIMUM_KEYS} keys`);
  }
  return value.keys.filter(isRecord);
}

function importKey(
  entry: Record<string, unknown>,
  algorithms: readonly SignatureAlgorithm[],
): VerificationKey | undefined {
  if (entry.use !== undefined && entry.use !== 'sig') return undefined;
  if (entry.key_ops !== undefined && !(Array.isArray(entry.key_ops) && entry.key_ops.includes('verify'))) {
    return undefined;
  }
  const algorithm = algorithmOf(entry, algorithms);
  if (!algorithm) return undefined;
  const members = PUBLIC_MEMBERS.flatMap((name) => (entry[name] === undefined ? [] : [[name, entry[name]]]));
  try {
    return { algorithm, key: createPublicKey({ key: Object.fromEntries(members), format: 'jwk' }) };
  } catch {
    return undefined;
  }
}
