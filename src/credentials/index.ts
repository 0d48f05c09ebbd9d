export { type CredentialOptions, credentialOptions } from './options.ts';
export type { Credential, CredentialProvider, CredentialRequest } from './provider.ts';
