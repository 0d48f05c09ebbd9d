export { createMtlsVerifier } from './mtls-verifier.ts';
export { type MtlsVerifierOptions, mtlsVerifierOptions } from './options.ts';
