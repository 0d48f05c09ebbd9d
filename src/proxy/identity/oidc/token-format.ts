import { createHash, timingSafeEqual } from 'node:crypto';
import { Secret } from '../../../core/index.ts';

/** A personal access token taken apart: the id is a key of the state store, the secret is never kept. */
export interface PersonalToken {
  readonly id: string;
  readonly secret: string;
}

const ID_BYTES = 8;
const SECRET_BYTES = 32;
// Letters and digits only, so that a double click takes the whole token.
const FORMAT = /^drp_([0-9a-f]{16})_([0-9a-f]{64})$/;

/** `drp_<id>_<secret>`, of 256 random bits. */
export function newPersonalToken(randomBytes: (size: number) => Buffer): PersonalToken {
  return { id: randomBytes(ID_BYTES).toString('hex'), secret: randomBytes(SECRET_BYTES).toString('hex') };
}

export function parsePersonalToken(shown: Secret): PersonalToken | undefined {
  const [, id, secret] = FORMAT.exec(shown.reveal()) ?? [];
  return id !== undefined && secret !== undefined ? { id, secret } : undefined;
}

export function formatPersonalToken({ id, secret }: PersonalToken): Secret {
  return new Secret(`drp_${id}_${secret}`);
}

/** What is kept of a token. The secret is random, so one round of a plain hash is enough. */
export function hashOfToken({ id, secret }: PersonalToken): string {
  return createHash('sha256').update(`${id}\n${secret}`).digest('base64url');
}

/** Whether the hash is that of the token, in a time that does not depend on it. */
export function isHashOfToken(hash: string, token: PersonalToken): boolean {
  const [stored, shown] = [Buffer.from(hash), Buffer.from(hashOfToken(token))];
  return stored.length === shown.length && timingSafeEqual(stored, shown);
}
