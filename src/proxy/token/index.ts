export { type TokenOptions, tokenOptions } from './options.ts';
export type { Bearer, IssuedToken, TokenOutcome, TokenRequest, TokenService } from './token-service.ts';
