export {
  AWS_MAXIMUM_ATTEMPTS,
  AWS_REQUEST_HANDLER,
  AwsError,
  awsCredentialShape,
  awsEndpoint,
  createAwsCredentialChain,
  describeAwsError,
  roleInAccount,
} from './aws/index.ts';
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
export { tokenClaims } from './token-claims.ts';
export { readTokenFile } from './token-file.ts';
export { CredentialUnavailableError } from './unavailable.ts';
