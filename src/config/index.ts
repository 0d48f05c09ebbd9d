export { fingerprintFiles } from './fingerprint.ts';
export type { Environment } from './interpolate.ts';
export {
  configFromValue,
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
  type ValueOptions,
} from './load.ts';
export { nearestKey } from './nearest-key.ts';
export {
  ConfigError,
  type ConfigProblem,
  type ConfigSnapshot,
  type Finding,
  formatKeyPath,
  formatProblem,
  type KeyPath,
} from './problem.ts';
export { type ConfigWatcher, type ConfigWatcherOptions, createConfigWatcher } from './watch.ts';
