import { Worker } from 'node:worker_threads';
import type { Clock } from '../../core/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import { PluginError } from '../errors.ts';
import type { Question } from '../transport.ts';
import type { FromThread, Start, Thrown, ToThread } from './messages.ts';
import { THREAD_PROGRAM } from './thread-program.ts';
import { placeOf } from './thrown-at.ts';

/** A thread in which one module runs. */
export interface ModuleThread {
  /** Waits until it is sure that the thread reacts, where there is doubt. @returns false when it has ended */
  reacts(): Promise<boolean>;
  /**
   * @returns the answer as JSON text
   * @throws {PluginError}; the signal's reason when it is aborted
   */
  ask(question: Question, signal: AbortSignal): Promise<string>;
  /** Lets the module end what it has made, for a few seconds; then ends the thread. */
  close(): Promise<void>;
}

export interface ModuleThreadDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  /** The thread has ended by itself, or had to be ended. Not called after {@link ModuleThread.close}. */
  readonly onEnd: (reason: string) => void;
}

interface Waiting {
  resolve(text: string): void;
  reject(reason: unknown): void;
}

const CLOSE_TIMEOUT_MS = 5000;
/** Who does not say within this that they are there is caught in a loop. */
const REACTION_MS = 500;
const LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 };

/** @throws when no thread can be started */
export function startModuleThread(start: Start, dependencies: ModuleThreadDependencies): ModuleThread {
  const { clock, log, onEnd } = dependencies;
  const { program, isText } = THREAD_PROGRAM;
  const worker = new Worker(program, {
    name: `plugin ${start.name}`,
    eval: isText,
    execArgv: [],
    resourceLimits: LIMITS,
  });
  const waiting = new Map<number, Waiting>();
  const challenges = new Map<number, AbortController>();
  const closed = new AbortController();
  let lastId = 0;
  let doubt: Promise<unknown> = Promise.resolve();
  let endedBecause: string | undefined;
  let fault: string | undefined;

  const post = (message: ToThread): void => worker.postMessage(message);

  /** A thread that nobody waits for keeps no process from ending. */
  function keepAlive(): void {
    if (waiting.size > 0) worker.ref();
    else worker.unref();
  }

  function end(reason: string): void {
    if (endedBecause !== undefined) return;
    endedBecause = reason;
    closed.abort();
    for (const challenge of challenges.values()) challenge.abort();
    for (const { reject } of waiting.values()) reject(new PluginError('unavailable', reason));
    waiting.clear();
    worker.terminate().catch(() => undefined);
    onEnd(reason);
  }

  /** Sends what has to be reacted to. A thread that does not is ended: nothing else stops a loop. */
  function challenge(message: Extract<ToThread, { type: 'cancel' | 'close' }>): void {
    const reacted = new AbortController();
    challenges.set(message.id, reacted);
    post(message);
    const decided = clock.sleep(REACTION_MS, reacted.signal).then(
      // The reaction may have come and wait to be read, where this thread itself was busy.
      () => new Promise((resolve) => setImmediate(resolve)),
      () => undefined,
    );
    doubt = Promise.all([doubt, decided.then(() => reacted.signal.aborted || end('is caught in a loop'))]);
  }

  function take(message: FromThread): void {
    switch (message.type) {
      case 'answer':
        waiting.get(message.id)?.resolve(message.text);
        break;
      case 'failed':
        waiting.get(message.id)?.reject(errorOf(message.code, message.message, message.thrown));
        break;
      case 'alive':
        challenges.get(message.id)?.abort();
        challenges.delete(message.id);
        break;
      case 'log':
        log[message.level](message.text);
        break;
      case 'closed':
        if (message.failure !== undefined) {
          log.warn({ err: new Error(message.failure) }, 'a plugin failed to close');
        }
        closed.abort();
    }
  }

  worker.on('message', take);
  worker.on('messageerror', () => end('said what can not be read'));
  worker.on('error', (error) => {
    const isFull = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    fault = isFull
      ? 'took more memory than it may'
      : `ended by an error that nothing caught${placeOf(error, start.address)}`;
  });
  worker.on('exit', (code) => end(fault ?? `ended its thread with exit code ${code}`));
  post(start);
  keepAlive();

  return {
    async reacts() {
      await doubt;
      return endedBecause === undefined;
    },
    ask({ method, body }, signal) {
      lastId += 1;
      const id = lastId;
      return new Promise<string>((resolve, reject) => {
        if (endedBecause !== undefined) throw new PluginError('unavailable', endedBecause);
        const abort = (): void => {
          reject(signal.reason);
          challenge({ type: 'cancel', id });
        };
        signal.addEventListener('abort', abort, { once: true });
        const done = <T>(settle: (value: T) => void) => {
          return (value: T): void => {
            signal.removeEventListener('abort', abort);
            settle(value);
          };
        };
        waiting.set(id, { resolve: done(resolve), reject: done(reject) });
        keepAlive();
        post({ type: 'ask', id, method, body });
      }).finally(() => {
        waiting.delete(id);
        keepAlive();
      });
    },
    async close() {
      if (endedBecause !== undefined) return;
      lastId += 1;
      challenge({ type: 'close', id: lastId });
      await clock.sleep(CLOSE_TIMEOUT_MS, closed.signal).catch(() => undefined);
      endedBecause ??= 'is closed';
      await worker.terminate();
    },
  };
}

function errorOf(code: PluginError['code'], message: string, thrown: Thrown | undefined): PluginError {
  if (!thrown) return new PluginError(code, message);
  const cause = new Error(thrown.message);
  cause.name = thrown.name;
  cause.stack = thrown.stack;
  return new PluginError(code, message, { cause });
}
