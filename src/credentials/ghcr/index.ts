export { createGhcrProvider } from './ghcr-provider.ts';
export { ghcrOptions } from './options.ts';
