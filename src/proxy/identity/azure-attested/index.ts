export {
  type AttestedVerifierDependencies,
  createAzureAttestedVerifier,
} from './attested-verifier.ts';
export { explainDocument, readAttestedDocument } from './explain-document.ts';
export { type AzureAttestedVerifierOptions, azureAttestedVerifierOptions } from './options.ts';
