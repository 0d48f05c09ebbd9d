export { isAuthorizationFailure } from './authorization-failure.ts';
export { type Fallback, watchFallbacks } from './fallbacks.ts';
export type { PullCredentialsObserver } from './observer.ts';
export {
  CREDENTIAL_ORDERS,
  type CredentialOrder,
  type PullCredentialOptions,
  pullCredentialOptions,
} from './options.ts';
export { createPullCredentials, type PullCredentialsDependencies } from './pull-credentials.ts';
