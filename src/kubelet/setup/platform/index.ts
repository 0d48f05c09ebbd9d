export { detectPlatform, type Platform } from './detect-platform.ts';
export { type EndpointInUse, endpointInUse } from './endpoint-in-use.ts';
export { type KubeletConfig, kubeletConfigOf, readKubeletConfig } from './kubelet-config.ts';
export { type KubeletFlags, readKubeletFlags, splitArguments } from './kubelet-flags.ts';
export { type LiveKubelet, processArguments, readLiveKubelet } from './live-kubelet.ts';
export { findExecutableFolder } from './places.ts';
export { type Backend, findBackend } from './runtime.ts';
