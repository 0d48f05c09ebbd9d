export * from './aws/index.ts';
export * from './azure/index.ts';
export { isMachineNonce, newMachineNonce } from './machine-nonce.ts';
export { formatProof, looksLikeProof, MAXIMUM_PROOF_LENGTH, parseProof } from './proof.ts';
