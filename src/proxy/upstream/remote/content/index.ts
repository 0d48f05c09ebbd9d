export { Blobs } from './blobs.ts';
export { manifestType } from './manifest-type.ts';
export { Manifests } from './manifests.ts';
export { SparingManifests } from './sparing-manifests.ts';
