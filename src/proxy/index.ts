export type { ProxyDependencies } from './dependencies.ts';
export { type ProxyOptions, proxyOptions } from './options.ts';
export { createProxy, type ListeningAt, type RegistryProxy } from './proxy.ts';
