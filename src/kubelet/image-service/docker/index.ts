export { createDockerBackend, type DockerBackendDependencies } from './docker-backend.ts';
export { type DockerBackendOptions, dockerBackendOptions } from './options.ts';
