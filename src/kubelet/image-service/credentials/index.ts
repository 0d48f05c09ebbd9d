export { isAuthorizationFailure } from './authorization-failure.ts';
export type { ImagePattern } from './image-pattern.ts';
export type { PullCredentialsObserver } from './observer.ts';
export {
  CREDENTIAL_ORDERS,
  type CredentialOrder,
  imagePattern,
  type PullCredentialOptions,
  pullCredentialOptions,
} from './options.ts';
export { createPullCredentials, type PullCredentialsDependencies } from './pull-credentials.ts';
