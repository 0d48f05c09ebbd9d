export { LdapSetupError } from './errors.ts';
export { createLdapVerifier, type LdapDependencies } from './ldap-verifier.ts';
export { type LdapVerifierOptions, ldapVerifierOptions } from './options.ts';
