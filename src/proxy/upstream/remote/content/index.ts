export { Blobs } from './blobs.ts';
export { Manifests } from './manifests.ts';
