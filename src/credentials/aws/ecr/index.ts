export { createEcrProvider } from './ecr-provider.ts';
export { ecrCredentialOptions } from './options.ts';
