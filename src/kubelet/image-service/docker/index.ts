export { loadDockerBackend } from './load.ts';
export { type DockerBackendOptions, dockerBackendOptions } from './options.ts';
