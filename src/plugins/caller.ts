import { type Clock, createTurns, TooManyWaitError } from '../core/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { type BreakerOptions, createBreaker, defaultBreakerOptions } from './breaker.ts';
import { PluginError } from './errors.ts';
import type { Transport } from './transport.ts';

export interface CallerOptions {
  /** For everything that one call takes, the wait for its turn included. */
  readonly timeoutMs: number;
  /** How many calls run at once. */
  readonly concurrency: number;
  /** How many may wait beside those. */
  readonly queueLimit?: number;
  readonly breaker?: BreakerOptions;
}

/** Keeps a plugin that hangs, dies or floods from holding up anybody else. */
export interface Caller {
  /**
   * Runs `work` within the limits.
   * @throws {PluginError}; the signal's reason when it is aborted
   */
  call<T>(work: (ask: Transport['ask'], signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Gives up what runs. */
  close(): Promise<void>;
}

const QUEUE_LIMIT = 256;

export function createCaller(
  transport: Transport,
  options: CallerOptions,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Caller {
  const { timeoutMs, concurrency, queueLimit = QUEUE_LIMIT } = options;
  const turns = createTurns({ concurrency, queueLimit, what: 'questions' });
  const breaker = createBreaker(options.breaker ?? defaultBreakerOptions, {
    clock,
    onOpen: (restMs) =>
      log.warn(
        { restSeconds: restMs / 1000 },
        'a plugin fails again and again, and is left alone for a while',
      ),
    onClose: () => log.info('a plugin answers again'),
  });
  const closing = new AbortController();
  const ask: Transport['ask'] = (question, signal) => transport.ask(question, signal);

  async function runInTurn<T>(
    work: (signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
    limited: AbortSignal,
  ): Promise<T> {
    const passage = breaker.pass();
    try {
      const value = await orAbort(work(limited), limited);
      passage.succeeded();
      return value;
    } catch (error) {
      if (signal.aborted || closing.signal.aborted) passage.abandoned();
      else if (error instanceof PluginError && error.code === 'error') passage.succeeded();
      else passage.failed();
      throw error;
    }
  }

  return {
    async call(work, signal) {
      closing.signal.throwIfAborted();
      signal.throwIfAborted();
      breaker.check();
      const answered = new AbortController();
      const tooSlow = new AbortController();
      clock.sleep(timeoutMs, answered.signal).then(
        () => tooSlow.abort(new PluginError('timeout', `no answer within ${timeoutMs / 1000} s`)),
        () => undefined,
      );
      const limited = AbortSignal.any([signal, tooSlow.signal, closing.signal]);
      try {
        return await turns.run(() => runInTurn((bounded) => work(ask, bounded), signal, limited), limited);
      } catch (error) {
        throw error instanceof TooManyWaitError ? new PluginError('busy', error.message) : error;
      } finally {
        answered.abort();
      }
    },
    async close() {
      if (closing.signal.aborted) return;
      closing.abort(new PluginError('closed', 'the plugin is closed'));
      await transport.close();
    },
  };
}

/** The outcome of work, or the signal's reason, whichever comes first. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
