export {
  type AttestedVerifierDependencies,
  createAzureAttestedVerifier,
} from './attested-verifier.ts';
export { type AzureAttestedVerifierOptions, azureAttestedVerifierOptions } from './options.ts';
