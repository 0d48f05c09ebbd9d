import { createConfigWatcher, type LoadedConfig } from '../../config/index.ts';
import { systemClock } from '../../core/index.ts';
import { createProxy, type ListeningAt, type ProxyOptions, type RegistryProxy } from '../../proxy/index.ts';
import { loadOrCreateSigningKeys } from '../../proxy/token/index.ts';
import { createAuditLog, createLogger, createMetrics, type Telemetry } from '../../telemetry/index.ts';
import { endSignal } from '../end-signal.ts';
import { CommandError } from '../errors.ts';

/**
 * Runs the proxy until SIGTERM or SIGINT: then running pulls end first. A second signal ends it at once. SIGHUP, and any
 * change of the configuration's files, loads the configuration anew.
 * @param load reads the configuration; called once now and again for each reload
 */
export async function runProxy(load: () => Promise<LoadedConfig<ProxyOptions>>): Promise<void> {
  const initial = await loadWithKeys(load);
  const log = createLogger(initial.value.log.level);
  const metrics = createMetrics();
  const telemetry: Telemetry = { log, metrics, audit: createAuditLog(log) };
  const proxy = await createProxy(initial.value, { clock: systemClock, random: Math.random, telemetry });
  const at = await listen(proxy);
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
  process.on('unhandledRejection', (err) =>
    // A module plugin's, most likely: it must not end the pulls of everybody.
    log.error({ err }, 'a rejected promise was not handled by whoever made it'),
  );

  const signal = await endSignal();
  log.info({ signal }, 'shutting down: running pulls end, new ones are turned away');
  process.off('SIGHUP', reload);
  await watcher.close();
  await Promise.race([proxy.drain(), endSignal()]);
  await proxy.close();
  log.info('stopped');
}

/** The first start makes the signing keys; what is in use then is loaded with them, so that they are no change. */
async function loadWithKeys(
  load: () => Promise<LoadedConfig<ProxyOptions>>,
): Promise<LoadedConfig<ProxyOptions>> {
  const loaded = await load();
  const { signingKeyFile } = loaded.value.tokens;
  if (signingKeyFile.contents !== undefined) return loaded;
  await loadOrCreateSigningKeys(signingKeyFile);
  return load();
}

/** @throws {CommandError} that says what to do when an address is taken */
function listen(proxy: RegistryProxy): Promise<ListeningAt> {
  return proxy.listen().catch(async (error: NodeJS.ErrnoException & { address?: string; port?: number }) => {
    await proxy.close();
    if (error.code !== 'EADDRINUSE') throw error;
    const place = `${error.address}:${error.port}`;
    throw new CommandError(
      `${place} is taken: end what listens there, or change server.address or adminAddress`,
    );
  });
}
