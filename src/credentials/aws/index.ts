export { AwsError, describeAwsError } from './aws-error.ts';
export { createCredentialChain as createAwsCredentialChain, roleInAccount } from './credential-chain.ts';
export { createEcrProvider, ecrCredentialOptions } from './ecr/index.ts';
export { createDocumentProvider, documentCredentialOptions } from './instance-document/index.ts';
export { awsCredentialShape, awsEndpoint } from './options.ts';
export { AWS_MAXIMUM_ATTEMPTS, AWS_REQUEST_HANDLER } from './sdk-settings.ts';
export { createStsProvider, stsCredentialOptions } from './sts/index.ts';
