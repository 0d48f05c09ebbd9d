export { ANONYMOUS, anonymousIdentity, type Identity, isAnonymous } from './identity.ts';
export { type AuthenticationOptions, authenticationOptions, type VerifierOptions } from './options.ts';
export type { Outcome, ShownCredential, Verifier } from './verifier.ts';
