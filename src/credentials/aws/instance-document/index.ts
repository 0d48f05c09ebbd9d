export { createDocumentProvider } from './document-provider.ts';
export { keepNonce } from './nonce-file.ts';
export { documentCredentialOptions } from './options.ts';
