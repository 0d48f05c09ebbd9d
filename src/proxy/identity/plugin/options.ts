import { z } from 'zod';
import {
  checkGrpcOptions,
  checkWebhookOptions,
  execPluginShape,
  grpcPluginShape,
  modulePluginShape,
  PLUGIN_DESCRIPTIONS,
  verifierTimeout as timeout,
  webhookPluginShape,
} from '../../../plugins/index.ts';
import { commonVerifierOptions } from '../common-options.ts';

/** The verifiers that are plugins, one schema a kind. */
export const pluginVerifierOptions = [
  z
    .strictObject({ ...modulePluginShape, ...commonVerifierOptions, timeout })
    .describe(PLUGIN_DESCRIPTIONS.module),
  z
    .strictObject({ ...grpcPluginShape, ...commonVerifierOptions, timeout })
    .superRefine(checkGrpcOptions)
    .describe(PLUGIN_DESCRIPTIONS.grpc),
  z
    .strictObject({ ...execPluginShape, ...commonVerifierOptions, timeout })
    .describe(PLUGIN_DESCRIPTIONS.exec),
  z
    .strictObject({ ...webhookPluginShape, ...commonVerifierOptions, timeout })
    .superRefine(checkWebhookOptions)
    .describe(PLUGIN_DESCRIPTIONS.webhook),
] as const;
export type PluginVerifierOptions = z.infer<(typeof pluginVerifierOptions)[number]>;
