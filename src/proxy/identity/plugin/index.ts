export { type PluginVerifierOptions, pluginVerifierOptions } from './options.ts';
export { createPluginVerifier } from './plugin-verifier.ts';
