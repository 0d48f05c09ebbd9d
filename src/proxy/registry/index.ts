export { parseListenAddress } from './listen-address.ts';
export { type RouteOptions, routeOptions, type ServerOptions, serverOptions } from './options.ts';
export type { LeaseParts, PartsLease, RegistryParts } from './parts.ts';
export { type AskedName, createRouter, type RoutedName, type Router } from './routing.ts';
export { createRegistryServer, type RegistryServer } from './server.ts';
export {
  createUploadSessions,
  type UploadSessions,
  type UploadSessionsDependencies,
} from './upload-sessions.ts';
