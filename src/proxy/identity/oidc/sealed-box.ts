import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/**
 * Keys of 32 bytes for one purpose. The first seals, all open: so what was sealed before a key was replaced can still
 * be opened while the old key is kept.
 */
export type SecretKeys = (purpose: string) => readonly Buffer[];

/** Texts that nobody else can read or change: AES-256-GCM. */
export interface SealedBox {
  /** @param context what the text belongs to; it opens with the same one only */
  seal(text: string, context: string): string;
  /** @returns undefined for what was not sealed with one of the keys in this context */
  open(sealed: string, context: string): string | undefined;
}

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function createSealedBox(keys: readonly Buffer[]): SealedBox {
  const [sealing] = keys;
  if (!sealing) throw new Error('there is no key to seal with');
  return {
    seal(text, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, sealing, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
      for (const key of keys) {
        const text = openWith(key, bytes, context);
        if (text !== undefined) return text;
      }
      return undefined;
    },
  };
}

function openWith(key: Buffer, bytes: Buffer, context: string): string | undefined {
  const tagAt = NONCE_BYTES;
  const bodyAt = NONCE_BYTES + TAG_BYTES;
  try {
    const nonce = bytes.subarray(0, tagAt);
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(tagAt, bodyAt));
    return Buffer.concat([decipher.update(bytes.subarray(bodyAt)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
