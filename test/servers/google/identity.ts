import { createHash, randomUUID } from 'node:crypto';
import { type CryptoKey, exportJWK, exportPKCS8, generateKeyPair, SignJWT } from 'jose';

/** A machine or service account, as Google knows it. */
export interface GoogleAccount {
  readonly email: string;
  /** Its number, which is the subject of its tokens. */
  readonly id: string;
}

/** An instance of Compute Engine, as it stands in an identity token. */
export interface GoogleInstance {
  readonly project_id: string;
  readonly project_number: number;
  readonly zone: string;
  readonly instance_id: string;
  readonly instance_name: string;
  readonly instance_creation_timestamp: number;
}

export interface IssuedAccess {
  readonly email: string;
  readonly scope: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What all of Google's services share: the key that identity tokens are signed with, and the access tokens that are out. */
export interface GoogleIdentity {
  /** The document at `https://www.googleapis.com/oauth2/v3/certs`. */
  readonly keySet: string;
  issueAccess(email: string, scope: string, seconds?: number): { token: string; seconds: number };
  /** @returns undefined for a token that was never issued, has ended or was revoked */
  accessOf(token: string): IssuedAccess | undefined;
  revokeAll(): void;
  sign(
    claims: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
  /** The claims of an identity token. */
  claimsFor(account: GoogleAccount, audience: string, instance?: GoogleInstance): Record<string, unknown>;
}

export const ISSUER = 'https://accounts.google.com';
const LIFETIME_SECONDS = 3600;
const KEY_ID = 'google-1';
/** One pair for all that run in a process: making one takes long. */
const SIGNING_KEYS = generateKeyPair('RS256', { extractable: true });
const ACCOUNT_KEYS = generateKeyPair('RS256', { extractable: true });

export async function createGoogleIdentity(now: () => number = Date.now): Promise<GoogleIdentity> {
  const { publicKey, privateKey } = await SIGNING_KEYS;
  const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'RS256', use: 'sig' };
  const access = new Map<string, IssuedAccess>();
  return {
    keySet: JSON.stringify({ keys: [jwk] }),
    issueAccess(email, scope, seconds = LIFETIME_SECONDS) {
      const token = `ya29.c.${createHash('sha256').update(randomUUID()).digest('base64url')}`;
      access.set(token, { email, scope, expiresAt: now() + seconds * 1000 });
      return { token, seconds };
    },
    accessOf(token) {
      const issued = access.get(token);
      return issued && issued.expiresAt > now() ? issued : undefined;
    },
    revokeAll: () => access.clear(),
    sign: (claims, header = {}) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: KEY_ID, typ: 'JWT', ...header })
        .sign(privateKey),
    claimsFor(account, audience, instance) {
      const seconds = Math.floor(now() / 1000);
      return {
        aud: audience,
        azp: account.id,
        email: account.email,
        email_verified: true,
        exp: seconds + LIFETIME_SECONDS,
        ...(instance && { google: { compute_engine: instance } }),
        iat: seconds,
        iss: ISSUER,
        sub: account.id,
      };
    },
  };
}

/** A key of a service account: the file that Google hands out, and what Google keeps. */
export async function createAccountKey(
  email: string,
  tokenUri: string,
): Promise<{ file: string; publicKey: CryptoKey; id: string }> {
  const { publicKey, privateKey } = await ACCOUNT_KEYS;
  const id = createHash('sha1').update(randomUUID()).digest('hex');
  const file = {
    type: 'service_account',
    project_id: 'acme-images',
    private_key_id: id,
    private_key: `${await exportPKCS8(privateKey)}\n`,
    client_email: email,
    client_id: '100000000000000000001',
    auth_uri: 'https://accounts.google.com/o/oauth2/auth',
    token_uri: tokenUri,
    universe_domain: 'googleapis.com',
  };
  return { file: JSON.stringify(file, null, 2), publicKey, id };
}
