export { type BodyEnd, type ReadBytes, readBody } from './body.ts';
export { ChunkedDecoder } from './chunked-decoder.ts';
export { type Framing, framingOf, keepsConnection } from './framing.ts';
export { formatGet } from './request-head.ts';
export { type ResponseHead, ResponseHeadParser } from './response-head.ts';
