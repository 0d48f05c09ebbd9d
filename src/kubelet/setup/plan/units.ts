import { quoteCommand, requireSafePath } from '../unit-file/index.ts';
import {
  BOOT_TARGET,
  ENVIRONMENT_FILE,
  FILE_HEADER,
  FLAGS_VARIABLE,
  RECOVER_UNIT,
  SERVICE_UNIT,
  SOCKET_UNIT,
} from './names.ts';

/** What the texts of our units depend on. */
export interface UnitSettings {
  /** The program and what it is always called with. */
  readonly program: readonly string[];
  readonly socket: string;
  readonly configFile: string;
  readonly kubeletUnit: string;
  readonly journalFile: string;
  /** Whether the host has what tells systemd that the service is ready. */
  readonly notifies: boolean;
  /** The runtime's own unit is unknown; these are started first where there are such. */
  readonly after?: readonly string[];
}

const UNIT_NAME = /^[A-Za-z0-9][A-Za-z0-9@_.-]*\.service$/;
const RUNTIME_UNITS = ['containerd.service', 'crio.service', 'docker.service'];
/** kubelet waits for as long at most when its service is started and the image service does not answer. */
const GUARD_WAIT = '20s';
/**
 * What the image service is started with, so that it takes less of the node's memory: Node's heap is built up instead of
 * mapped whole and its young part stays small, the C library keeps one arena, and gives larger blocks back.
 */
export const SERVICE_ENVIRONMENT: Readonly<Record<string, string>> = {
  NODE_OPTIONS: '--no-node-snapshot --max-semi-space-size=1',
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '32768',
};

/** At boot kubelet waits for as long at most until the image service is ready. */
const READY_WITHIN = '60s';

/** One that does not answer itself for so long is started again; it looks three times as often. */
const ALIVE_WITHIN = '60s';

/** systemd listens, so kubelet finds the socket before the service is up, and while it starts again. */
export function socketUnit({ socket, kubeletUnit }: UnitSettings): string {
  return lines([
    FILE_HEADER,
    '[Unit]',
    'Description=Socket of the image service of Docker Registry Proxy',
    // All of the default ones but Before=sockets.target. That comes before what undoes an unfinished setup, which comes
    // before us: systemd would break this circle at boot by leaving one of us out.
    'DefaultDependencies=no',
    'Requires=sysinit.target',
    'After=sysinit.target',
    'Conflicts=shutdown.target',
    `Before=${requireUnitName(kubeletUnit)} shutdown.target`,
    '',
    '[Socket]',
    `ListenStream=${requireSafePath(socket, 'the socket')}`,
    'SocketMode=0600',
    'DirectoryMode=0700',
    'RemoveOnStop=yes',
    // A service that fails again and again must not take the socket with it.
    'TriggerLimitIntervalSec=0',
  ]);
}

/**
 * Where it can tell when it is ready, kubelet waits at boot until it is, or has failed: however slow that boot is; and
 * systemd ends it when it hangs. Where there is nothing to tell with, both would only harm.
 */
export function serviceUnit({ program, configFile, kubeletUnit, notifies }: UnitSettings): string {
  const config = requireSafePath(configFile, 'the configuration file');
  // The messages come from systemd-notify, a process of its own.
  const type = notifies
    ? ['Type=notify', 'NotifyAccess=all', `TimeoutStartSec=${READY_WITHIN}`, `WatchdogSec=${ALIVE_WITHIN}`]
    : ['Type=simple'];
  return lines([
    FILE_HEADER,
    '[Unit]',
    'Description=Image service of Docker Registry Proxy',
    `Requires=${SOCKET_UNIT}`,
    `After=${[SOCKET_UNIT, ...RUNTIME_UNITS].join(' ')}`,
    `Before=${requireUnitName(kubeletUnit)}`,
    '',
    '[Service]',
    ...type,
    ...Object.entries(SERVICE_ENVIRONMENT).map(([name, value]) => `Environment="${name}=${value}"`),
    `ExecStart=${quoteCommand([...program, 'image-service', '--config', config])}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    'Restart=always',
    'RestartSec=1',
    'StartLimitInterval=0',
    'TimeoutStopSec=45',
    'UMask=0077',
    'OOMScoreAdjust=-999',
    'NoNewPrivileges=yes',
    'PrivateTmp=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectKernelLogs=yes',
    'ProtectControlGroups=yes',
    'ProtectClock=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
  ]);
}

/** Undoes at boot what was begun before it and not finished. */
export function recoverUnit({ program, kubeletUnit, journalFile }: UnitSettings): string {
  return lines([
    FILE_HEADER,
    '[Unit]',
    'Description=Undo an unfinished node setup of Docker Registry Proxy',
    `Before=${requireUnitName(kubeletUnit)} ${SOCKET_UNIT} ${SERVICE_UNIT}`,
    `ConditionPathExists=${requireSafePath(journalFile, 'the journal')}`,
    '',
    '[Service]',
    'Type=oneshot',
    `ExecStart=${quoteCommand([...program, 'node', 'rollback', '--boot'])}`,
    'TimeoutStartSec=60',
    '',
    '[Install]',
    `WantedBy=${BOOT_TARGET}`,
  ]);
}

/** Lines for `[Unit]` of kubelet: it wants us and comes after us, and does without us when we fail. */
export function kubeletUnitLines(): string[] {
  return [`Wants=${SOCKET_UNIT} ${SERVICE_UNIT}`, `After=${SOCKET_UNIT} ${SERVICE_UNIT}`];
}

/**
 * Lines for `[Service]` of kubelet: the guard decides before each start. What an earlier start decided goes first, so
 * that a guard that can't run decides against us. Neither can keep kubelet from starting.
 * @param target the option of the guard, and the file that it writes
 */
export function guardLines(
  { program, socket }: UnitSettings,
  remove: string,
  target: readonly [option: string, file: string],
): string[] {
  const [option, file] = target;
  const guard = [...program, 'node', 'guard', '--socket', socket, option, file, '--wait', GUARD_WAIT];
  return [`ExecStartPre=-${quoteCommand([remove, '-f', file])}`, `ExecStartPre=-${quoteCommand(guard)}`];
}

/** systemd reads the file right before it starts the command, so after the guard. */
export const ENVIRONMENT_LINE = `EnvironmentFile=-${ENVIRONMENT_FILE}`;

/** Kubelet's command with what the guard decides at its end; of two flags the last one wins. */
export function withFlags(command: string): string {
  return `${command} $${FLAGS_VARIABLE}`;
}

export function symlinkForBoot(): { readonly folder: string; readonly name: string } {
  return { folder: `${BOOT_TARGET}.wants`, name: RECOVER_UNIT };
}

/** @throws {Error} for a name that could be anything else than one unit */
export function requireUnitName(name: string): string {
  if (!UNIT_NAME.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a service`);
  return name;
}

export function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
