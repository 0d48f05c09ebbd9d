export { createDockerConfigProvider, hasDockerLogin } from './docker-config-provider.ts';
export { dockerConfigOptions } from './options.ts';
