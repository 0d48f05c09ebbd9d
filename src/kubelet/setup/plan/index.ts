export { buildPlan, type Copy, changesNothing, type Plan } from './build-plan.ts';
export { unifiedDiff } from './diff.ts';
export { clearsOurLists, guardIsInForce } from './guard-in-force.ts';
export {
  BOOT_TARGET,
  ENVIRONMENT_FILE,
  endpointOf,
  FLAGS_VARIABLE,
  isOurPath,
  RECOVER_UNIT,
  SERVICE_UNIT,
  SOCKET_UNIT,
  STATE_FOLDER,
  UNDO_TIMER,
  UNIT_FOLDER,
} from './names.ts';
export {
  DEFAULT_CONFIG_FILE,
  DEFAULT_KUBELET_UNIT,
  DEFAULT_SOCKET,
  type InstallOptions,
  type Program,
  STRATEGIES,
  type Strategy,
} from './options.ts';
export { filesWithoutUs } from './pristine-files.ts';
export { programIsIntact } from './program.ts';
export {
  type Change,
  entryWithoutUs,
  formerGuardFiles,
  type InstalledRecord,
  restoreChange,
  restoreRecord,
  type StoredChange,
  type StoredRecord,
  storeChange,
  storeRecord,
} from './record.ts';
export { requireUnitName, withFlags } from './units.ts';
