import { hkdfSync } from 'node:crypto';
import type { SigningKey, SigningKeys } from './signing-keys.ts';

const KEY_BYTES = 32;

/**
 * Keys for other purposes than signing tokens, each derived from a signing key: whoever replaces the signing keys
 * replaces these too.
 * @returns for a purpose, one key for each signing key, the current one's first
 * @see RFC 5869
 */
export function createSecretKeys(keys: SigningKeys): (purpose: string) => readonly Buffer[] {
  const others = [...keys.byId.values()].filter(({ kid }) => kid !== keys.current.kid);
  return (purpose) => [keys.current, ...others].map((key) => derive(key, purpose));
}

function derive({ privateKey }: SigningKey, purpose: string): Buffer {
  const material = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
  return Buffer.from(hkdfSync('sha256', material, '', `drp: ${purpose}`, KEY_BYTES));
}
