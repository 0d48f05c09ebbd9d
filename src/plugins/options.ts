import { z } from 'zod';
import { providerTimeout } from './common-options.ts';
import { execPluginShape } from './exec/index.ts';
import { checkGrpcOptions, grpcPluginShape } from './grpc/index.ts';
import { modulePluginShape } from './module/index.ts';
import { checkWebhookOptions, webhookPluginShape } from './webhook/index.ts';

export { verifierTimeout } from './common-options.ts';
export {
  checkGrpcOptions,
  checkWebhookOptions,
  execPluginShape,
  grpcPluginShape,
  modulePluginShape,
  webhookPluginShape,
};

/** How each kind is described, for verifiers and providers alike. */
export const PLUGIN_DESCRIPTIONS = {
  module: 'A plugin: an ES module.',
  grpc: 'A plugin: a server that speaks `proto/drp/plugin/v1/plugin.proto`.',
  exec: 'A plugin: a program that is started for each question.',
  webhook: 'A plugin: a URL that questions are posted to.',
} as const;

/** The options of providers that are plugins, one schema a kind. */
export const providerPluginOptions = [
  z.strictObject({ ...modulePluginShape, timeout: providerTimeout }).describe(PLUGIN_DESCRIPTIONS.module),
  z
    .strictObject({ ...grpcPluginShape, timeout: providerTimeout })
    .superRefine(checkGrpcOptions)
    .describe(PLUGIN_DESCRIPTIONS.grpc),
  z.strictObject({ ...execPluginShape, timeout: providerTimeout }).describe(PLUGIN_DESCRIPTIONS.exec),
  z
    .strictObject({ ...webhookPluginShape, timeout: providerTimeout })
    .superRefine(checkWebhookOptions)
    .describe(PLUGIN_DESCRIPTIONS.webhook),
] as const;

/** What a plugin of any kind is made from. */
export type PluginOptions = z.infer<(typeof providerPluginOptions)[number]>;
