import { z } from 'zod';
import type { Secret } from '../../core/index.ts';
import { isMachineNonce } from '../machine-nonce.ts';
import { formatProof, looksLikeProof, parseProof } from '../proof.ts';

export const DOCUMENT_KIND = 'aws-iid';

const MAXIMUM_MESSAGE_LENGTH = 6144;

/** A signed instance identity document, and the nonce that the machine keeps. */
const documentProof = z.strictObject({
  /** What `/latest/dynamic/instance-identity/rsa2048` answers, in one line of base64. */
  pkcs7: z
    .string()
    .regex(/^[A-Za-z0-9+/]+={0,2}$/)
    .max(MAXIMUM_MESSAGE_LENGTH),
  nonce: z.string().refine(isMachineNonce),
});
export type DocumentProof = z.infer<typeof documentProof>;

/** @throws when the message is none, or too long for a login */
export function formatDocumentProof(proof: DocumentProof): Secret {
  return formatProof(DOCUMENT_KIND, documentProof.parse(proof));
}

export function isDocumentProof(password: Secret): boolean {
  return looksLikeProof(DOCUMENT_KIND, password);
}

/** undefined for anything else. */
export function parseDocumentProof(password: Secret): DocumentProof | undefined {
  return documentProof.safeParse(parseProof(DOCUMENT_KIND, password)).data;
}
