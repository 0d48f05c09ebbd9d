export {
  createDocumentVerifier,
  type DocumentDependencies,
  type DocumentVerifierOptions,
  documentVerifierOptions,
  type RegionCertificates,
  readIdentityDocument,
  readRegionCertificates,
} from './instance-document/index.ts';
export {
  createStsVerifier,
  type StsDependencies,
  type StsVerifierOptions,
  stsVerifierOptions,
} from './sts/index.ts';
