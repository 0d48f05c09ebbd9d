export { connectToSystemd, type SystemdSockets } from './dbus-systemd.ts';
export {
  type HostCommand,
  type HostService,
  type HostTimer,
  LONGEST_JOB_MS,
  type Systemd,
  type UnitState,
} from './systemd.ts';
