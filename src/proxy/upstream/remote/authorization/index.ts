export type { Accounts } from './accounts.ts';
export { Authenticator, type AuthenticatorOptions, type SendAgain } from './authenticator.ts';
export { authorizationFor } from './authorization-for.ts';
export { allowedRealm } from './realm.ts';
export { chooseScheme, type Scheme } from './scheme.ts';
export type { TokenSender } from './token-request.ts';
