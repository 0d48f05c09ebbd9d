import { pathToFileURL } from 'node:url';
import { backoffDelayMs, type Clock } from '../../core/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import { parseAnswerText } from '../answer-text.ts';
import { PluginError } from '../errors.ts';
import { MAXIMUM_ANSWER_BYTES, type Transport } from '../transport.ts';
import type { Start } from './messages.ts';
import { type ModuleThread, startModuleThread } from './module-thread.ts';
import type { ModulePluginOptions } from './options.ts';

export interface ModuleDependencies {
  readonly clock: Clock;
  readonly log: Logger;
}

const BACKOFF = { baseMs: 1000, capMs: 60_000 };
/** A thread that has lasted so long ended for a reason of its own. */
const LASTED_MS = 60_000;

/**
 * Calls functions of a module in a thread of its own, which is started with the first question. Whatever ends the
 * thread ends what was asked of it, and no more; the next question starts another one: at once, and if threads end again and
 * again, after a pause that grows.
 */
export function createModuleTransport(
  { file, options }: Pick<ModulePluginOptions, 'file' | 'options'>,
  plugin: Pick<Start, 'name' | 'factory'>,
  { clock, log }: ModuleDependencies,
): Transport {
  let current: ModuleThread | undefined;
  let startedAt = 0;
  let endings = 0;
  let pausedUntil = 0;
  let closed = false;

  function start(): ModuleThread {
    const leftMs = pausedUntil - clock.now();
    // A clock that was set back must not make the pause longer.
    if (leftMs > 0 && leftMs <= BACKOFF.capMs) {
      const seconds = Math.ceil(leftMs / 1000);
      throw new PluginError(
        'unavailable',
        `has ended ${endings} times, and is started again in ${seconds} s`,
      );
    }
    const address = pathToFileURL(file.path).href;
    const wanted: Start = {
      type: 'start',
      address,
      path: file.path,
      ...plugin,
      options,
      maximumBytes: MAXIMUM_ANSWER_BYTES,
    };
    try {
      startedAt = clock.now();
      current = startModuleThread(wanted, { clock, log, onEnd: noteEnd });
      return current;
    } catch (cause) {
      noteEnd('could not be started');
      throw new PluginError('unavailable', 'its thread could not be started', { cause });
    }
  }

  function noteEnd(reason: string): void {
    current = undefined;
    if (closed) return;
    if (Math.abs(clock.now() - startedAt) >= LASTED_MS) endings = 0;
    endings += 1;
    const pauseMs = endings === 1 ? 0 : backoffDelayMs(endings - 1, BACKOFF, () => 1);
    pausedUntil = clock.now() + pauseMs;
    log.warn({ reason, pauseSeconds: pauseMs / 1000 }, 'the thread of a plugin has ended');
  }

  return {
    async ask(question, signal) {
      for (;;) {
        signal.throwIfAborted();
        if (closed) throw new PluginError('closed', 'the plugin is closed');
        const thread = current ?? start();
        if (!(await thread.reacts())) continue;
        signal.throwIfAborted();
        return parseAnswerText(Buffer.from(await thread.ask(question, signal)));
      }
    },
    async close() {
      closed = true;
      await current?.close();
    },
  };
}
