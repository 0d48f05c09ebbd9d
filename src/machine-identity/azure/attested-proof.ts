import { z } from 'zod';
import type { Secret } from '../../core/index.ts';
import { isMachineNonce } from '../machine-nonce.ts';
import { formatProof, looksLikeProof, MAXIMUM_PROOF_LENGTH, parseProof } from '../proof.ts';

export const ATTESTED_KIND = 'azure-attested';

/** A document that Azure signed for a machine, and the nonce that the machine keeps. */
const attestedProof = z.strictObject({
  /** What `/metadata/attested/document` answers as its signature, in base64. */
  document: z.string().max(MAXIMUM_PROOF_LENGTH),
  nonce: z.string().refine(isMachineNonce),
});
export type AttestedProof = z.infer<typeof attestedProof>;

/** @throws when the document is too long for a login */
export function formatAttestedProof(proof: AttestedProof): Secret {
  return formatProof(ATTESTED_KIND, attestedProof.parse(proof));
}

export function isAttestedProof(password: Secret): boolean {
  return looksLikeProof(ATTESTED_KIND, password);
}

/** undefined for anything else. */
export function parseAttestedProof(password: Secret): AttestedProof | undefined {
  return attestedProof.safeParse(parseProof(ATTESTED_KIND, password)).data;
}
