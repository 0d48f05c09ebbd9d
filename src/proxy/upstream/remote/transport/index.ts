export { requireSafeTarget } from './address-guard.ts';
export { AnswerHeaders } from './answer-headers.ts';
export { createBulkTransport } from './bulk/index.ts';
export { instrumented } from './instrumented.ts';
export { createSmallTransport } from './small-transport.ts';
export type {
  Answer,
  Method,
  StreamedBody,
  Target,
  Transport,
  TransportOptions,
  TransportRequest,
  Trust,
} from './transport.ts';
export { createUploadTransport } from './upload-transport.ts';
