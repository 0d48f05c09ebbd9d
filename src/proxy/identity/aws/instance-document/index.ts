export { createDocumentVerifier, type DocumentDependencies } from './document-verifier.ts';
export { type DocumentVerifierOptions, documentVerifierOptions } from './options.ts';
export { readIdentityDocument } from './read-document.ts';
export { type RegionCertificates, readRegionCertificates } from './region-certificates.ts';
