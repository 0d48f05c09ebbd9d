export { Blobs } from './blobs.ts';
export { Manifests } from './manifests.ts';
export { SparingManifests } from './sparing-manifests.ts';
