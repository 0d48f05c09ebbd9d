export { type ExecPluginOptions, execPluginShape } from './options.ts';
export { createExecTransport, type Environment } from './transport.ts';
