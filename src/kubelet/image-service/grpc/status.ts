import { constants } from 'node:http2';
import { ImageServiceError, STATUS, type StatusCode } from '../errors.ts';
import { firstValue, type Metadata } from './metadata.ts';

const CODES: ReadonlySet<number> = new Set(Object.values(STATUS));

/** The end of a call. @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Responses" */
export function statusTrailers(code: StatusCode, message = ''): Metadata {
  return { 'grpc-status': String(code), ...(message !== '' && { 'grpc-message': encodeMessage(message) }) };
}

/** @returns the status, or undefined where there is none that can be read */
export function readStatus(metadata: Metadata): { code: StatusCode; message: string } | undefined {
  const code = Number(firstValue(metadata, 'grpc-status') ?? Number.NaN);
  if (!isStatusCode(code)) return undefined;
  return { code, message: decodeMessage(firstValue(metadata, 'grpc-message') ?? '') };
}

/** What is answered when a call ends with an exception. */
export function statusOfError(error: unknown): { code: StatusCode; message: string } {
  if (error instanceof ImageServiceError) return { code: error.code, message: error.message };
  if (error instanceof Error && error.name === 'TimeoutError') {
    return { code: STATUS.DEADLINE_EXCEEDED, message: 'context deadline exceeded' };
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return { code: STATUS.CANCELLED, message: 'context canceled' };
  }
  return { code: STATUS.INTERNAL, message: 'the image service failed; its log says why' };
}

/** @see the same document, "HTTP2 Transport Mapping", "Errors" */
export function codeOfReset(http2Error: number): StatusCode {
  switch (http2Error) {
    case constants.NGHTTP2_REFUSED_STREAM:
      return STATUS.UNAVAILABLE;
    case constants.NGHTTP2_CANCEL:
      return STATUS.CANCELLED;
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return STATUS.RESOURCE_EXHAUSTED;
    case constants.NGHTTP2_INADEQUATE_SECURITY:
      return STATUS.PERMISSION_DENIED;
    default:
      return STATUS.INTERNAL;
  }
}

function isStatusCode(code: number): code is StatusCode {
  return CODES.has(code);
}

/** Everything but printable ASCII, and the percent sign, is percent-encoded. */
function encodeMessage(message: string): string {
  return [...Buffer.from(message)]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}

/** What is encoded wrongly is left as it is. */
function decodeMessage(text: string): string {
  const bytes = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
