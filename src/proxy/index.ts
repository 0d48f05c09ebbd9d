export { type ProxyOptions, proxyOptions } from './options.ts';
