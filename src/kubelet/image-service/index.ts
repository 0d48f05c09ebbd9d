export { type AdminServer, startAdminServer } from './admin-server.ts';
export {
  createImageService,
  type ImageServiceDependencies,
  type ImageServiceServer,
} from './create-image-service.ts';
export { createPullCredentials } from './credentials/index.ts';
export {
  activatedSocket,
  isSamePlace,
  listenOnActivated,
  listenOnSocket,
  SocketError,
} from './listen/index.ts';
export { collectProcessMetrics, createImageServiceMetrics, type ImageServiceMetrics } from './metrics.ts';
export { type ImageServiceOptions, imageServiceOptions } from './options.ts';
export { probeSocket } from './self-probe.ts';
export { createNotifier, type Notifier, startWatchdog } from './systemd/index.ts';
