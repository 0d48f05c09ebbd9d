export {
  type Authenticator,
  type AuthenticatorDependencies,
  createAuthenticator,
  type LoginOrigin,
  type LoginOutcome,
} from './authenticator.ts';
export { createVerifiers, type VerifierDependencies, VerifierError } from './create-verifiers.ts';
export { HtpasswdError, parseHtpasswd } from './htpasswd-file.ts';
export { createHtpasswdVerifier, type HtpasswdDependencies } from './htpasswd-verifier.ts';
export { ANONYMOUS, anonymousIdentity, type Identity, isAnonymous } from './identity.ts';
export { createLoginLimits, type LoginLimits } from './login-limits.ts';
export {
  type AuthenticationOptions,
  authenticationOptions,
  type HtpasswdVerifierOptions,
  type VerifierOptions,
} from './options.ts';
export type { Outcome, ShownCredential, Verifier } from './verifier.ts';
