export { type Challenge, formatChallenge, parseChallenges } from './challenge.ts';
export { type Descriptor, isRecord, parseDescriptor } from './descriptor.ts';
export { type Digest, DigestCheck, digestAlgorithm, digestHex, digestOf, parseDigest } from './digest.ts';
export { type ErrorCode, RegistryError, type RegistryErrorOptions, STATUS_BY_ERROR_CODE } from './errors.ts';
export {
  canonicalPath,
  canonicalRegistryName,
  type ImageReference,
  parseImageReference,
  registryHost,
} from './image-reference.ts';
export { formatNextLink, parseNextLink } from './link.ts';
export * as mediaTypes from './media-types.ts';
export { type ByteRange, type ContentRange, formatRange, parseContentRange, parseRange } from './range.ts';
export {
  parseReference,
  parseRepositoryName,
  parseTag,
  type Reference,
  type RepositoryName,
  referenceText,
  type Tag,
} from './reference.ts';
export { PatternError, parseRepositoryPattern, type RepositoryPattern } from './repository-pattern.ts';
export { formatScope, parseScope, parseScopes, type Scope } from './scope.ts';
export { matchSegment } from './wildcards.ts';
