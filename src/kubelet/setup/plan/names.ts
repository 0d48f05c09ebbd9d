import { basename, dirname, join } from 'node:path/posix';

/** Names of what node setup puts on a host. */
export const UNIT_FOLDER = '/etc/systemd/system';
export const SERVICE_UNIT = 'drp-image-service.service';
export const SOCKET_UNIT = 'drp-image-service.socket';
export const RECOVER_UNIT = 'drp-node-recover.service';
export const BOOT_TARGET = 'multi-user.target';
/** Timer and service that undo what was not finished; systemd keeps them, no file does. */
export const UNDO_TIMER = 'drp-node-undo';
/** Where the record and the journal are. */
export const STATE_FOLDER = '/var/lib/drp/node';
/** Of a unit file that was changed, in the folder of the record. */
export const ORIGINAL_SUFFIX = '.original';
export const ENVIRONMENT_FILE = '/run/drp/kubelet.env';
/** In the order of preference: ours has to come after every other drop-in that sets the command. */
export const DROP_IN_NAMES = ['90-drp.conf', 'zz-drp.conf', 'zzzz-zzzz-drp.conf'];
/** A file of kubelet's `--config-dir`; the last one wins. */
export const KUBELET_CONFIG_NAME = '90-drp.conf';
export const FLAGS_VARIABLE = 'DRP_KUBELET_FLAGS';
export const FILE_HEADER = '# Written by drp node install, removed by drp node uninstall.';

export function endpointOf(socket: string): string {
  return `unix://${socket}`;
}

/** Whether nobody but us would put something there: whoever has edited it since, it is ours. */
export function isOurPath(path: string): boolean {
  const units = [SERVICE_UNIT, SOCKET_UNIT, RECOVER_UNIT, join(`${BOOT_TARGET}.wants`, RECOVER_UNIT)];
  if (units.some((name) => path === join(UNIT_FOLDER, name))) return true;
  const folder = dirname(path);
  if (folder === STATE_FOLDER) return path.endsWith(ORIGINAL_SUFFIX);
  const isDropIn = dirname(folder) === UNIT_FOLDER && folder.endsWith('.service.d');
  return isDropIn && DROP_IN_NAMES.includes(basename(path));
}
