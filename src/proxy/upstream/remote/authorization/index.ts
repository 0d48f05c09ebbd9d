export { Authenticator, type AuthenticatorOptions, type Send } from './authenticator.ts';
export { allowedRealm } from './realm.ts';
export type { TokenSender } from './token-request.ts';
