export { checkWebhookOptions, type WebhookPluginOptions, webhookPluginShape } from './options.ts';
export { SIGNATURE_HEADER, signatureOf } from './signature.ts';
export { createWebhookTransport } from './transport.ts';
