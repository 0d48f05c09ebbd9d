/** Work that can be aborted together. */
export interface AbortScope {
  /**
   * Does work whose signal is aborted by `signal` and by {@link abort}.
   * @throws what the work throws; the reason when one of both was aborted before
   */
  run<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Aborts what runs, and whatever comes later. */
  abort(reason: Error): void;
  readonly isAborted: boolean;
  throwIfAborted(): void;
}

/**
 * In place of `AbortSignal.any` over a signal that lasts as long as the process: in Node 20 that signal keeps something of
 * every call. Here nothing is left of work that has ended.
 */
export function createAbortScope(): AbortScope {
  const running = new Set<AbortController>();
  let reason: Error | undefined;

  function throwIfAborted(): void {
    if (reason) throw reason;
  }

  return {
    async run(signal, work) {
      throwIfAborted();
      signal.throwIfAborted();
      const controller = new AbortController();
      const abort = () => controller.abort(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      running.add(controller);
      try {
        return await work(controller.signal);
      } finally {
        running.delete(controller);
        signal.removeEventListener('abort', abort);
      }
    },
    abort(why) {
      reason ??= why;
      for (const controller of running) controller.abort(why);
    },
    get isAborted() {
      return reason !== undefined;
    },
    throwIfAborted,
  };
}
