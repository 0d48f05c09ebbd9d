import { type ChildProcess, spawn } from 'node:child_process';
import { PluginError } from '../errors.ts';
import { MAXIMUM_ANSWER_BYTES } from '../transport.ts';

export interface Program {
  /** Absolute path, then arguments. */
  readonly command: readonly string[];
  /** All variables that it sees. */
  readonly env: Readonly<Record<string, string>>;
}

/** One run of a program. */
export interface Run {
  /**
   * What it wrote to standard output, once it ended with exit code 0.
   * @throws {PluginError}; the signal's reason when it was aborted
   */
  readonly output: Promise<Buffer>;
  /** Resolves when it is gone, with the beginning of what it wrote to standard error. */
  readonly ended: Promise<Buffer>;
}

const MAXIMUM_STDERR_BYTES = 64 * 1024;

/**
 * Runs a program in a process group of its own, without a shell. The group is killed on abort, when it writes too much,
 * and when the program has ended: nothing that it started survives it.
 */
export function runProgram(program: Program, input: string, signal: AbortSignal): Run {
  const [path = '', ...parameters] = program.command;
  const child = spawn(path, parameters, { cwd: '/', env: program.env, detached: true, stdio: 'pipe' });
  if (!hasStreams(child)) return { output: neverStarted(child), ended: Promise.resolve(Buffer.alloc(0)) };
  const stdout = collect(MAXIMUM_ANSWER_BYTES);
  const stderr = collect(MAXIMUM_STDERR_BYTES);
  const ended = new Promise<Buffer>((resolve) => {
    child.once('close', () => resolve(stderr.bytes()));
  });
  const output = new Promise<Buffer>((resolve, reject) => {
    const giveUp = (reason: unknown): void => {
      killGroup(child);
      // Whoever left the group may hold the pipes open for ever.
      child.stdout.destroy();
      child.stderr.destroy();
      reject(reason);
    };
    const abort = (): void => giveUp(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      if (!stdout.add(chunk)) {
        giveUp(new PluginError('nonsense', `wrote more than ${MAXIMUM_ANSWER_BYTES} bytes`));
      }
    });
    child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
    child.once('error', (cause) => reject(cannotRun(cause)));
    child.once('exit', () => killGroup(child));
    child.once('close', (code, signalName) => {
      signal.removeEventListener('abort', abort);
      if (code === 0) resolve(stdout.bytes());
      else reject(new PluginError('unavailable', `ended with ${signalName ?? `exit code ${code}`}`));
    });
    // A program may answer without reading the question to its end.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    if (signal.aborted) abort();
  });
  return { output, ended };
}

/** Where no file descriptor is free, there are no streams, and an `error` comes but no `close`. */
function hasStreams(child: ChildProcess): boolean {
  return Boolean(child.stdin && child.stdout && child.stderr);
}

function neverStarted(child: ChildProcess): Promise<Buffer> {
  return new Promise((_, reject) => {
    child.once('error', (cause) => reject(cannotRun(cause)));
  });
}

function cannotRun(cause: Error): PluginError {
  return new PluginError('unavailable', `can't be run: ${cause.message}`, { cause });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in the group.
  }
}

/** Keeps bytes up to a limit. */
function collect(limitBytes: number): { add(chunk: Buffer): boolean; bytes(): Buffer } {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    add(chunk) {
      const room = limitBytes - size;
      if (room > 0) chunks.push(chunk.subarray(0, room));
      size += Math.min(chunk.length, room);
      return chunk.length <= room;
    },
    bytes: () => Buffer.concat(chunks),
  };
}
