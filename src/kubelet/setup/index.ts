export {
  type ApiClient,
  acquireLease,
  connectToCluster,
  type HeldLease,
  type LeaseEnd,
  readConfigz,
} from './cluster/index.ts';
export { SetupError, type SetupErrorCode } from './errors.ts';
export { type GuardOptions, type GuardResult, runGuard } from './guard/index.ts';
export { type InstallResult, install, planInstall } from './install.ts';
export { type OpenSetupOptions, openGuard, openSetup } from './open-setup.ts';
export {
  type Change,
  changesNothing,
  DEFAULT_CONFIG_FILE,
  DEFAULT_KUBELET_UNIT,
  DEFAULT_SOCKET,
  type InstallOptions,
  type Plan,
  type Program,
  requireUnitName,
  STRATEGIES,
  type Strategy,
  unifiedDiff,
} from './plan/index.ts';
export { rollback, type UndoResult } from './rollback.ts';
export {
  DEFAULT_TIMING,
  leastUndoAfterMs,
  longestUndoMs,
  type SetupDependencies,
  type SetupTiming,
  type Step,
} from './setup.ts';
export { type NodeStatus, nodeStatus, type Verdict } from './status.ts';
export { uninstall } from './uninstall.ts';
export { requireSafePath } from './unit-file/index.ts';
