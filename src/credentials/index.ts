export { type CredentialDependencies, createCredentialProvider } from './create-provider.ts';
export { hasDockerLogin } from './docker-config/index.ts';
export { CredentialError, CredentialOptionsError } from './errors.ts';
export { type CredentialOptions, credentialOptions } from './options.ts';
export {
  type Credential,
  type CredentialProvider,
  type CredentialRequest,
  IDENTITY_TOKEN_USER,
} from './provider.ts';
