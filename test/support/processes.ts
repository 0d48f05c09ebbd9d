import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { waitFor } from './wait.ts';

const STOP_TIMEOUT_MS = 15_000;
const LOG_TAIL_CHARACTERS = 6000;

/** What to start, and how to tell that it is ready. */
export interface ProcessOptions<Ready> {
  readonly command: string;
  readonly arguments: readonly string[];
  /** Receives standard output and standard error. */
  readonly logFile: string;
  readonly folder?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** Asked until it answers; what it throws counts as not yet. */
  readonly ready: (process: {
    readonly logs: () => string;
  }) => Promise<Ready | undefined> | Ready | undefined;
  readonly readyTimeoutMs?: number;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A server in a process of its own. */
export interface RunningProcess<Ready> {
  readonly pid: number;
  /** What `ready` answered. */
  readonly ready: Ready;
  /** Settles when the process is gone, whyever. */
  readonly exited: Promise<ProcessEnd>;
  /** All that it has printed so far. */
  logs(): string;
  signal(signal: NodeJS.Signals): void;
  /** Ends the process and all that it started. */
  close(): Promise<void>;
}

/**
 * Starts a server and waits until it is ready.
 *
 * The process leads a group of its own, which ends with `close()`; should the test's own process die before, the
 * kernel kills the server.
 *
 * @throws Error with the end of the log when the server exits or does not become ready in time
 */
export async function startProcess<Ready>(options: ProcessOptions<Ready>): Promise<RunningProcess<Ready>> {
  const log = openSync(options.logFile, 'a');
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', options.command, ...options.arguments], {
    stdio: ['ignore', log, log],
    detached: true,
    ...(options.folder && { cwd: options.folder }),
    env: options.environment ?? process.env,
  });
  closeSync(log);
  let end: ProcessEnd | undefined;
  const exited = new Promise<ProcessEnd>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  }).then((value) => {
    end = value;
    return value;
  });
  const pid = child.pid ?? 0;
  const signalGroup = (signal: NodeJS.Signals) => {
    try {
      if (pid > 0) process.kill(-pid, signal);
    } catch {
      // The group is gone already.
    }
  };
  const close = async () => {
    if (!end) signalGroup('SIGTERM');
    const timer = setTimeout(() => signalGroup('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
    signalGroup('SIGKILL');
  };
  const logs = () => readFileSync(options.logFile, 'utf8');

  try {
    const ready = await waitFor(
      `${options.command} to be ready`,
      async () => (end ? { dead: true as const } : wrap(await options.ready({ logs }))),
      options.readyTimeoutMs,
    );
    if ('dead' in ready) throw new Error(`${options.command} ended with ${JSON.stringify(end)}`);
    return {
      pid,
      ready: ready.value,
      exited,
      logs,
      signal: (signal) => {
        if (!end) process.kill(pid, signal);
      },
      close,
    };
  } catch (error) {
    await close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}\n${tail(logs())}`, { cause: error });
  }
}

/** The end of a log, short enough to be shown. */
export function tail(text: string): string {
  return text.length <= LOG_TAIL_CHARACTERS ? text : `…${text.slice(-LOG_TAIL_CHARACTERS)}`;
}

function wrap<T>(value: T | undefined): { readonly value: T } | undefined {
  return value === undefined ? undefined : { value };
}
