export { type AzureVerifierDependencies, createAzureVerifier } from './azure-verifier.ts';
export { issuersOf } from './issuers.ts';
export { type AzureVerifierOptions, azureVerifierOptions } from './options.ts';
