export { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from './algorithm.ts';
export { createKeySource, type KeySourceDependencies, type KeySourceOptions } from './create-key-source.ts';
export { KeySetError } from './errors.ts';
export { type KeySet, parseKeySet, type VerificationKey } from './key-set.ts';
export type { KeyAnswer, KeySource } from './key-source.ts';
export { keySetOptions, serviceUrl } from './options.ts';
