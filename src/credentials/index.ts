export { type CredentialDependencies, createCredentialProvider } from './create-provider.ts';
export { CredentialOptionsError } from './errors.ts';
export { type CredentialOptions, credentialOptions } from './options.ts';
export type { Credential, CredentialProvider, CredentialRequest } from './provider.ts';
export { CredentialUnavailableError } from './unavailable.ts';
