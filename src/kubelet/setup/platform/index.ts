export { detectPlatform, type Platform } from './detect-platform.ts';
export { type EndpointInUse, endpointInUse } from './endpoint-in-use.ts';
export {
  configPlaces,
  type KubeletConfig,
  kubeletConfigOf,
  readConfigFile,
  readKubeletConfig,
  setsImageService,
} from './kubelet-config.ts';
export { type KubeletFlags, readKubeletFlags, splitArguments } from './kubelet-flags.ts';
export { type LiveKubelet, processArguments, readLiveKubelet } from './live-kubelet.ts';
export { findExecutableFolder } from './places.ts';
export { type Backend, findBackend } from './runtime.ts';
export { changedSinceStart } from './since-start.ts';
