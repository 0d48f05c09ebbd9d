import type { Clock } from '../core/index.ts';
import { createEmbeddedStore } from './embedded-store.ts';
import type { StateOptions } from './options.ts';
import type { StateStore } from './store.ts';

export interface StateDependencies {
  readonly clock: Clock;
}

/** @throws {StateError} when the store can't be opened */
export function createStateStore(options: StateOptions, dependencies: StateDependencies): StateStore {
  switch (options.type) {
    case 'embedded':
      return createEmbeddedStore(options.directory.path, dependencies);
  }
}
