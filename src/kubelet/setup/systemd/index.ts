export { connectToSystemd, type SystemdSockets } from './dbus-systemd.ts';
export type { HostTimer, Systemd, UnitState } from './systemd.ts';
