export { createEcrProvider, ecrCredentialOptions } from './ecr/index.ts';
export { createDocumentProvider, documentCredentialOptions } from './instance-document/index.ts';
export { createStsProvider, stsCredentialOptions } from './sts/index.ts';
