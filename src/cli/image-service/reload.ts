import { createConfigWatcher, type LoadedConfig } from '../../config/index.ts';
import type {
  ImageServiceMetrics,
  ImageServiceOptions,
  ImageServiceServer,
  Notifier,
} from '../../kubelet/image-service/index.ts';
import type { Logger } from '../../telemetry/index.ts';

export interface ReloadDependencies {
  readonly load: () => Promise<LoadedConfig<ImageServiceOptions>>;
  readonly service: ImageServiceServer;
  readonly notifier: Notifier;
  readonly metrics: ImageServiceMetrics;
  readonly log: Logger;
}

const NANOSECONDS_PER_MICROSECOND = 1000n;
/** These are open for as long as the process runs. */
const FIXED = ['socket', 'adminAddress', 'adminSocket'] as const;

/** The configuration that is kept up to date. */
export interface Reloading {
  /** What is in use now. */
  options(): ImageServiceOptions;
  close(): Promise<void>;
}

/** Takes each new version of the configuration into use: when its files change, and on SIGHUP. */
export function startReloading(
  initial: LoadedConfig<ImageServiceOptions>,
  { load, service, notifier, metrics, log }: ReloadDependencies,
): Reloading {
  let options = initial.value;
  const watcher = createConfigWatcher({
    load,
    initial,
    onChange({ value }) {
      service.reload(value);
      options = value;
      log.level = value.log.level;
      metrics.reloads.inc({ outcome: 'applied' });
      const restart = FIXED.filter((key) => value[key] !== initial.value[key]);
      if (restart.length > 0) log.warn({ keys: restart }, 'what these keys say is used after a restart');
      log.info('the configuration was reloaded');
    },
    onRefused(err) {
      metrics.reloads.inc({ outcome: 'refused' });
      log.error({ err }, 'the new configuration is refused; the last good one stays in use');
    },
  });
  const onHangup = async () => {
    // Type=notify-reload wants to know when it began. @see sd_notify(3)
    const microseconds = process.hrtime.bigint() / NANOSECONDS_PER_MICROSECOND;
    await notifier.notify('RELOADING=1', `MONOTONIC_USEC=${microseconds}`);
    await watcher.reload();
    await notifier.notify('READY=1');
  };
  const hangup = () => void onHangup().catch((err: unknown) => log.error({ err }, 'the reload failed'));
  process.on('SIGHUP', hangup);
  return {
    options: () => options,
    async close() {
      process.off('SIGHUP', hangup);
      await watcher.close();
    },
  };
}
