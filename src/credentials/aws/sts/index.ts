export { stsCredentialOptions } from './options.ts';
export { createStsProvider } from './sts-provider.ts';
