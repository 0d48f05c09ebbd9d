export { createWeb, type Web, type WebDependencies } from './create-web.ts';
export type { WebAnswer, WebLogin, WebRequest } from './web-request.ts';
