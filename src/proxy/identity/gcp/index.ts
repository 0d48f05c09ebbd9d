export { createGcpVerifier, type GcpVerifierDependencies } from './gcp-verifier.ts';
export { GOOGLE_ISSUER } from './google-identity.ts';
export { type GcpVerifierOptions, gcpVerifierOptions } from './options.ts';
