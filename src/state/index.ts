export { type StateOptions, stateOptions } from './options.ts';
export type { StateStore, StoredRecord } from './store.ts';
