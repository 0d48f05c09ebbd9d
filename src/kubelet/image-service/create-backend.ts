import type { Clock } from '../../core/index.ts';
import type { Backend } from './backend.ts';
import { createCriBackend } from './cri/index.ts';
import { type DockerBackendOptions, loadDockerBackend } from './docker/index.ts';
import { createLateBackend } from './late-backend.ts';
import type { BackendOptions } from './options.ts';

export interface BackendDependencies {
  readonly clock: Clock;
}

/** Makes what the options name; nothing is connected to before the first call. */
export function createBackend(options: BackendOptions, dependencies: BackendDependencies): Backend {
  switch (options.type) {
    case 'cri':
      return createCriBackend(options.socket, dependencies);
    case 'docker':
      return createLateBackend(options.type, () => openDockerBackend(options, dependencies));
  }
}

async function openDockerBackend(
  options: DockerBackendOptions,
  dependencies: BackendDependencies,
): Promise<Backend> {
  const [createDockerBackend, { createTypedBackend }] = await Promise.all([
    loadDockerBackend(),
    import('./typed-backend.ts'),
  ]);
  return createTypedBackend(options.type, createDockerBackend(options, dependencies));
}
