export { requireSafeTarget } from './address-guard.ts';
export { AnswerHeaders } from './answer-headers.ts';
export { createBulkTransport } from './bulk/index.ts';
export { instrumented } from './instrumented.ts';
export { createSmallTransport } from './small-transport.ts';
export type { Answer, Target, Transport, TransportOptions, TransportRequest, Trust } from './transport.ts';
