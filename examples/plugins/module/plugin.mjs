// A plugin that runs inside the proxy. With TypeScript the types come from 'docker-registry-proxy/plugin'.
import { openDirectory } from '../directory/directory.mjs';

/** @type {import('docker-registry-proxy/plugin').CreateVerifier} */
export function createVerifier(options, context) {
  const directory = openDirectory(options.directory ?? new URL('../directory/', import.meta.url));
  context.log.info('the example is ready');
  return {
    verify: (request) => directory.verify(request),
    renew: (request) => directory.renew(request),
  };
}

/** @type {import('docker-registry-proxy/plugin').CreateProvider} */
export function createProvider(options) {
  const directory = openDirectory(options.directory ?? new URL('../directory/', import.meta.url));
  return { credential: (request) => directory.credential(request) };
}
