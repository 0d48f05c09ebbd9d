export { type Answer, AnsweredError, errorAnswer, messageAnswer } from './answer.ts';
export { IncomingCall } from './incoming-call.ts';
export { frameMessage, MESSAGE_LIMIT_BYTES, onlyMessage, readBody } from './message.ts';
export { firstValue, type Metadata, metadataOf } from './metadata.ts';
export { respond } from './respond.ts';
export { createGrpcServer, type GrpcServer } from './server.ts';
export { codeOfReset, readStatus, statusOfError, statusTrailers } from './status.ts';
export { withTimeout } from './timeout.ts';
