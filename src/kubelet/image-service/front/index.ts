export { HEADER_LIST_LIMIT_BYTES, HEADER_TABLE_BYTES } from './authority-rewriter.ts';
export { FrontStream } from './front-stream.ts';
