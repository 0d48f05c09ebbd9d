import { createConfigWatcher, type LoadedConfig } from '../../config/index.ts';
import { systemClock } from '../../core/index.ts';
import { createProxy, type ProxyOptions } from '../../proxy/index.ts';
import { createAuditLog, createLogger, createMetrics, type Telemetry } from '../../telemetry/index.ts';

/**
 * Runs the proxy until SIGTERM or SIGINT: then running pulls end first. A second signal ends it at once. SIGHUP, and any
 * change of the configuration's files, loads the configuration anew.
 * @param load reads the configuration; called once now and again for each reload
 */
export async function runProxy(load: () => Promise<LoadedConfig<ProxyOptions>>): Promise<void> {
  const initial = await load();
  const log = createLogger(initial.value.log.level);
  const metrics = createMetrics();
  const telemetry: Telemetry = { log, metrics, audit: createAuditLog(log) };
  const proxy = await createProxy(initial.value, { clock: systemClock, random: Math.random, telemetry });
  const at = await proxy.listen();
  log.info({ ...at, files: initial.files }, 'listening');

  const watcher = createConfigWatcher({
    load,
    initial,
    onChange: async ({ value }) => {
      await proxy.reload(value);
      metrics.reloads.inc({ outcome: 'applied' });
      log.info('the configuration was reloaded');
    },
    onRefused: (err) => {
      metrics.reloads.inc({ outcome: 'refused' });
      log.error({ err }, 'the new configuration is refused; the last good one stays in use');
    },
  });
  const reload = () => void watcher.reload();
  process.on('SIGHUP', reload);

  const signal = await endSignal();
  log.info({ signal }, 'shutting down: running pulls end, new ones are turned away');
  process.off('SIGHUP', reload);
  await watcher.close();
  await Promise.race([proxy.drain(), endSignal()]);
  await proxy.close();
  log.info('stopped');
}

function endSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals) => {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
