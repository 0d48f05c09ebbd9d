import { isRecord } from '../../../oci/index.ts';

/** A JWT in its compact form, taken apart; nothing in it is verified. */
export interface ReadToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Longer passwords are not looked at. */
export const MAXIMUM_TOKEN_LENGTH = 16_384;

/**
 * Takes a token apart. Only the one spelling of each part is taken: a signature whose unused bits were changed would
 * else be another text with the same meaning.
 * @returns undefined for what is no signed JWT
 * @see RFC 7515, section 3.1; RFC 7519
 */
export function readToken(text: string): ReadToken | undefined {
  if (text.length > MAXIMUM_TOKEN_LENGTH) return undefined;
  const parts = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/.exec(text);
  if (!parts?.slice(1).every(isCanonical)) return undefined;
  const header = parseObject(parts[1] ?? '');
  const claims = parseObject(parts[2] ?? '');
  return header && claims && { header, claims };
}

function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

function parseObject(part: string): Record<string, unknown> | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url'));
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
