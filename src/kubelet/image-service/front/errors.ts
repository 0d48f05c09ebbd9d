/** The error codes of HTTP/2 that are used here. @see RFC 9113, section 7 */
export const HTTP2_ERROR = {
  PROTOCOL_ERROR: 0x1,
  FRAME_SIZE_ERROR: 0x6,
  COMPRESSION_ERROR: 0x9,
  ENHANCE_YOUR_CALM: 0xb,
} as const;
export type Http2ErrorCode = (typeof HTTP2_ERROR)[keyof typeof HTTP2_ERROR];

/** What a client sent breaks the protocol, or is more than we take. It ends that connection. */
export class ConnectionError extends Error {
  constructor(
    readonly code: Http2ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ConnectionError';
  }
}
