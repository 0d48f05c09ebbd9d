export { type CacheOptions, cacheOptions } from './options.ts';
