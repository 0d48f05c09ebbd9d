export { attestationNonce } from './attestation-nonce.ts';
export {
  ATTESTED_KIND,
  type AttestedProof,
  formatAttestedProof,
  isAttestedProof,
  parseAttestedProof,
} from './attested-proof.ts';
