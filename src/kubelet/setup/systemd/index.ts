export { connectToSystemd, type SystemdSockets } from './dbus-systemd.ts';
export type { HostCommand, HostTimer, Systemd, UnitState } from './systemd.ts';
