export { createUpstream, type UpstreamDependencies } from './create.ts';
export { type Rejection, UpstreamError, type UpstreamErrorKind } from './errors.ts';
export { type UpstreamOptions, upstreamOptions } from './options.ts';
export type {
  Chunk,
  PushedManifest,
  PushTarget,
  StartedUpload,
  StartOptions,
  StoredManifest,
  UploadBody,
  UploadProgress,
  UploadSession,
} from './push-target.ts';
export { createUpstreamProbe, type Ping, type UpstreamProbe } from './remote/index.ts';
export type {
  BlobAnswer,
  BlobHead,
  BlobOptions,
  CallOptions,
  CatalogPage,
  Manifest,
  ManifestHead,
  ManifestOptions,
  PageOptions,
  ReferrersOptions,
  ReferrersPage,
  TagPage,
  Upstream,
} from './upstream.ts';
