export { createKubeletPluginsProvider } from './kubelet-plugins-provider.ts';
export { kubeletPluginsOptions } from './options.ts';
