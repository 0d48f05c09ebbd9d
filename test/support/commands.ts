import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tail } from './processes.ts';

const COMMAND_TIMEOUT_MS = 60_000;
const PASSED_ON = ['PATH', 'LANG', 'LC_ALL', 'TMPDIR'];

/** How to run a client command. */
export interface CommandOptions {
  /** HOME, and with it everything that the command keeps for its user. */
  readonly home: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** What a command printed, and how it ended. */
export interface CommandResult {
  /** -1 when it was killed. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in a clean environment; it is killed with all that it started when it takes too long. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
    cwd: options.home,
    detached: true,
    env: { ...cleanEnvironment(options.home), ...options.environment },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A command that never reads its input is none of our errors.
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const timer = setTimeout(() => {
    stderr.push(Buffer.from(`\n${command} took too long and was killed`));
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, options.timeoutMs ?? COMMAND_TIMEOUT_MS);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? -1, stdout: String(Buffer.concat(stdout)), stderr: String(Buffer.concat(stderr)) };
  } finally {
    clearTimeout(timer);
  }
}

/** Like {@link runCommand}. @throws Error with what it printed, unless it succeeds */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const result = await runCommand(command, args, options);
  if (result.code === 0) return result;
  const printed = tail(`${result.stdout}\n${result.stderr}`);
  throw new Error(`${[command, ...args].join(' ')} ended with ${result.code}:\n${printed}`);
}

function cleanEnvironment(home: string): Record<string, string> {
  const environment: Record<string, string> = {
    HOME: home,
    XDG_CONFIG_HOME: `${home}/.config`,
    XDG_DATA_HOME: `${home}/.local/share`,
    XDG_CACHE_HOME: `${home}/.cache`,
    XDG_RUNTIME_DIR: `${home}/.run`,
  };
  for (const name of PASSED_ON) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}
