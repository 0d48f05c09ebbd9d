export { type Authenticator, type AuthenticatorDependencies, createAuthenticator } from './authenticator.ts';
export { createVerifiers, type VerifierDependencies, VerifierError } from './create-verifiers.ts';
export { HtpasswdError, parseHtpasswd } from './htpasswd-file.ts';
export { createHtpasswdVerifier, type HtpasswdDependencies } from './htpasswd-verifier.ts';
export { ANONYMOUS, anonymousIdentity, type Identity, isAnonymous } from './identity.ts';
export {
  type AuthenticationOptions,
  authenticationOptions,
  type HtpasswdVerifierOptions,
  type VerifierOptions,
} from './options.ts';
export type { Outcome, ShownCredential, Verifier } from './verifier.ts';
