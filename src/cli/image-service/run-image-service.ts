import { createServer } from 'node:net';
import { systemClock } from '../../core/index.ts';
import {
  activatedSocket,
  collectProcessMetrics,
  createImageService,
  createImageServiceMetrics,
  createNotifier,
  listenOnActivated,
  listenOnSocket,
  probeSocket,
  SocketError,
  startAdminServer,
  startWatchdog,
} from '../../kubelet/image-service/index.ts';
import { createLogger, type Logger } from '../../telemetry/index.ts';
import { endSignal } from '../end-signal.ts';
import { CommandError } from '../errors.ts';
import { loadImageServiceConfig } from './image-service-config.ts';
import { startReloading } from './reload.ts';

const PROBE_TIMEOUT_MS = 5000;

/** Serves the image service until SIGTERM or SIGINT: then running calls end first. A second signal ends it at once. */
export async function runImageService(file: string): Promise<void> {
  const initial = await loadImageServiceConfig(file);
  const options = initial.value;
  const log = createLogger(options.log.level);
  const metrics = createImageServiceMetrics();
  collectProcessMetrics(metrics);
  // From here on a signal is not lost, however early it comes.
  const ended = endSignal();
  const service = createImageService(options, { clock: systemClock, log, metrics });
  const notifier = createNotifier({ env: process.env, pid: process.pid, log });
  process.on('unhandledRejection', (err) =>
    // A module plugin's, most likely: it must not end the pulls of the node.
    log.error({ err }, 'a rejected promise was not handled by whoever made it'),
  );

  const { listening, isActivated } = await listen(options.socket, (socket) => service.accept(socket));
  const admin = await startAdminServer(options, { metrics, probe: (signal) => service.probe(signal) });
  log.info(
    { socket: options.socket, isActivated, backend: options.backend.type, adminPort: admin.port },
    'listening',
  );
  const load = () => loadImageServiceConfig(file, { listensOn: options.socket });
  const reloading = startReloading(initial, { load, service, notifier, metrics, log });
  await notifier.notify('READY=1');
  const isReachable = await canBeReached(options.socket, log);
  const watchdog = startWatchdog(notifier, {
    clock: systemClock,
    log,
    probe: async (signal) => {
      if (isReachable) await probeSocket(options.socket, signal);
    },
  });

  const signal = await ended;
  log.info({ signal }, 'shutting down: running calls end, new ones are turned away');
  void notifier.notify('STOPPING=1');
  watchdog.close();
  await Promise.all([reloading.close(), listening.close()]);
  const limit = systemClock.sleep(reloading.options().timeouts.shutdown);
  await Promise.race([service.drain(), endSignal(), limit]);
  await Promise.all([service.close(), admin.close()]);
  log.info('stopped');
  // A plugin may still hold on to something; nothing of ours is left to wait for.
  process.exit();
}

async function listen(path: string, onConnection: Parameters<typeof createServer>[1]) {
  const server = createServer({ pauseOnConnect: false }, onConnection);
  try {
    const fd = activatedSocket(process.env, process.pid);
    // Programs that providers start must not take it for theirs.
    for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) delete process.env[name];
    const listening =
      fd === undefined ? await listenOnSocket(server, path) : await listenOnActivated(server, fd);
    return { listening, isActivated: fd !== undefined };
  } catch (error) {
    if (error instanceof SocketError) throw new CommandError(error.message, undefined, { cause: error });
    throw error;
  }
}

/** A socket unit may listen elsewhere; then kubelet has to be told that, and we can't ask ourselves. */
async function canBeReached(path: string, log: Logger): Promise<boolean> {
  try {
    await probeSocket(path, AbortSignal.timeout(PROBE_TIMEOUT_MS));
    return true;
  } catch (err) {
    log.warn(
      { err, socket: path },
      'nothing of ours answers on this socket: `socket` has to be what the socket unit has as ListenStream=',
    );
    return false;
  }
}
