export { createHpackDecoder, type DecoderOptions, type HpackDecoder } from './decoder.ts';
export { encodeLiterals } from './encode.ts';
export { HpackError, type HpackErrorReason } from './errors.ts';
export type { HeaderField } from './header-field.ts';
