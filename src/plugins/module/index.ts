export { type ModulePluginOptions, modulePluginShape } from './options.ts';
export { createModuleTransport } from './transport.ts';
