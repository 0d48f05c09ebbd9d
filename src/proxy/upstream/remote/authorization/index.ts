export type { Accounts } from './accounts.ts';
export { Authenticator, type AuthenticatorOptions, type Send, type SendAgain } from './authenticator.ts';
export { allowedRealm } from './realm.ts';
export { chooseScheme, type Scheme } from './scheme.ts';
export { requestToken, type TokenSender } from './token-request.ts';
