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
export const ENVIRONMENT_FILE = '/run/drp/kubelet.env';
/** A file of kubelet's `--config-dir`; the last one wins. */
export const KUBELET_CONFIG_NAME = '90-drp.conf';
export const FLAGS_VARIABLE = 'DRP_KUBELET_FLAGS';
export const FILE_HEADER = '# Written by drp node install, removed by drp node uninstall.';

export function endpointOf(socket: string): string {
  return `unix://${socket}`;
}
