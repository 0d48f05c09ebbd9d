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
export { CredentialOptionsError } from './errors.ts';
export { type CredentialOptions, credentialOptions } from './options.ts';
export type { Credential, CredentialProvider, CredentialRequest } from './provider.ts';
export { tokenClaims } from './token-claims.ts';
export { readTokenFile } from './token-file.ts';
export { CredentialUnavailableError } from './unavailable.ts';
