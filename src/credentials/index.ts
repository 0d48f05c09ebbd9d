export { type CredentialDependencies, createCredentialProvider } from './create-provider.ts';
export { CredentialOptionsError } from './errors.ts';
export { type CredentialOptions, credentialOptions } from './options.ts';
export type { Credential, CredentialProvider, CredentialRequest } from './provider.ts';
export { tokenClaims } from './token-claims.ts';
export { readTokenFile } from './token-file.ts';
export { CredentialUnavailableError } from './unavailable.ts';
