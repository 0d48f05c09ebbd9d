export { type ExecPluginOptions, execPluginShape } from './options.ts';
export { type Program, type Run, runProgram } from './run-program.ts';
export { createExecTransport, type Environment } from './transport.ts';
