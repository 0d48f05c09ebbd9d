export { createStateStore, type StateDependencies } from './create-state-store.ts';
export { StateError } from './errors.ts';
export { type StateOptions, stateOptions } from './options.ts';
export type { StateStore, StoredRecord } from './store.ts';
export { createWindowedCount, type WindowedCount } from './windowed-count.ts';
