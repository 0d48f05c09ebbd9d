export { createGcpProvider, type GcpDependencies } from './gcp-provider.ts';
export { createGoogleMetadata, type GoogleMetadata } from './metadata.ts';
export { type GcpOptions, gcpOptions } from './options.ts';
