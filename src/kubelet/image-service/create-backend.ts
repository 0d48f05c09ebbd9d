import type { Clock } from '../../core/index.ts';
import type { Backend } from './backend.ts';
import { createCriBackend } from './cri/index.ts';
import { createDockerBackend } from './docker/index.ts';
import type { BackendOptions } from './options.ts';
import { createTypedBackend } from './typed-backend.ts';

export interface BackendDependencies {
  readonly clock: Clock;
}

/** Makes what the options name; nothing is connected to before the first call. */
export function createBackend(options: BackendOptions, dependencies: BackendDependencies): Backend {
  switch (options.type) {
    case 'cri':
      return createCriBackend(options.socket, dependencies);
    case 'docker':
      return createTypedBackend(options.type, createDockerBackend(options, dependencies));
  }
}
