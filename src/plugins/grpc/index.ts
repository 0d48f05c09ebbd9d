export { checkGrpcOptions, type GrpcPluginOptions, grpcPluginShape } from './options.ts';
export { createGrpcTransport } from './transport.ts';
