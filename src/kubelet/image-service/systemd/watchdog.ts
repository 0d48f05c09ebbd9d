import type { Clock } from '../../../core/index.ts';
import type { Logger } from '../../../telemetry/index.ts';
import type { Notifier } from './notifier.ts';

export interface WatchdogDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  /** Rejects when we do not do our work. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
}

/** A third, so that one probe may fail before systemd ends us. */
const PINGS_PER_PERIOD = 3;

/**
 * Tells systemd that we are alive, each time after having seen that a call on our own socket is answered. Whether the
 * runtime answers does not count: a restart of ours would not help it, and would forget its last good answers.
 * @returns what ends it
 */
export function startWatchdog(
  notifier: Notifier,
  { clock, log, probe }: WatchdogDependencies,
): { close(): void } {
  const end = new AbortController();
  const period = notifier.watchdogMs;

  async function watch(intervalMs: number): Promise<void> {
    while (!end.signal.aborted) {
      try {
        await probe(AbortSignal.timeout(intervalMs));
        if (end.signal.aborted) return;
        await notifier.notify('WATCHDOG=1');
      } catch (err) {
        if (end.signal.aborted) return;
        log.error({ err }, 'a call on our own socket was not answered; systemd is not told that all is well');
      }
      await clock.sleep(intervalMs, end.signal).catch(() => undefined);
    }
  }

  if (period !== undefined) void watch(period / PINGS_PER_PERIOD);
  return { close: () => end.abort() };
}
