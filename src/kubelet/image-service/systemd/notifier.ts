import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import type { Logger } from '../../../telemetry/index.ts';

/** Node can't send a datagram to a unix socket, so systemd's own program does. */
const PROGRAMS = ['/usr/bin/systemd-notify', '/bin/systemd-notify'];
const PROGRAM_TIMEOUT_MS = 5000;
const MICROSECONDS_PER_MILLISECOND = 1000;

type Environment = Readonly<Record<string, string | undefined>>;

/** Tells systemd how we are. @see sd_notify(3) */
export interface Notifier {
  /** How often systemd wants to hear from us, at the least; undefined where it does not. */
  readonly watchdogMs: number | undefined;
  /** Never rejects: what can't be told is logged. */
  notify(...states: readonly string[]): Promise<void>;
}

export interface NotifierDependencies {
  readonly env: Environment;
  readonly pid: number;
  readonly log: Logger;
  /** Where `systemd-notify` may be. */
  readonly programs?: readonly string[];
}

/** One that tells nothing where systemd has not asked for it. */
export function createNotifier({ env, pid, log, programs = PROGRAMS }: NotifierDependencies): Notifier {
  const socket = env.NOTIFY_SOCKET;
  if (!socket) return { watchdogMs: undefined, notify: async () => undefined };
  const program = programs.find(isExecutable);
  if (program === undefined) {
    log.warn(
      { programs },
      'systemd waits to be told, and systemd-notify is not installed: use Type=exec, and no WatchdogSec=, in the unit',
    );
    return { watchdogMs: undefined, notify: async () => undefined };
  }
  return {
    watchdogMs: watchdogMs(env, pid),
    notify: (...states) =>
      new Promise((resolve) => {
        const options = { env: { NOTIFY_SOCKET: socket }, timeout: PROGRAM_TIMEOUT_MS };
        execFile(program, [...states], options, (err) => {
          if (err) log.warn({ err, states }, 'systemd could not be told');
          resolve();
        });
      }),
  };
}

function watchdogMs(env: Environment, pid: number): number | undefined {
  const isOurs = env.WATCHDOG_PID === undefined || env.WATCHDOG_PID === String(pid);
  const microseconds = Number(env.WATCHDOG_USEC ?? Number.NaN);
  return isOurs && microseconds > 0 ? microseconds / MICROSECONDS_PER_MILLISECOND : undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
