export { createEcrProvider, ecrCredentialOptions } from './ecr/index.ts';
