export type { LoginAnswer, PluginCredential, PluginIdentity } from './answers.ts';
export { createProviderHost, createVerifierHost, type PluginDependencies } from './create-plugin.ts';
export { PluginError, type PluginErrorCode } from './errors.ts';
export {
  checkGrpcOptions,
  checkWebhookOptions,
  execPluginShape,
  grpcPluginShape,
  modulePluginShape,
  PLUGIN_DESCRIPTIONS,
  type PluginOptions,
  providerPluginOptions,
  verifierTimeout,
  webhookPluginShape,
} from './options.ts';
export { type Environment, type Program, type Run, redactLines, runProgram } from './programs.ts';
export type { ProviderPlugin } from './provider-plugin.ts';
export type { VerifierPlugin } from './verifier-plugin.ts';
