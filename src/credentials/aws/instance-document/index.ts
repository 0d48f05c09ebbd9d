export { createDocumentProvider } from './document-provider.ts';
export { documentCredentialOptions } from './options.ts';
