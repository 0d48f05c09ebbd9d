export { type StsVerifierOptions, stsVerifierOptions } from './options.ts';
export { createStsVerifier, type StsDependencies } from './sts-verifier.ts';
