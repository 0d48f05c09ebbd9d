export { type RouteOptions, routeOptions, type ServerOptions, serverOptions } from './options.ts';
