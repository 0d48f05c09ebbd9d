import type { Socket } from 'node:net';
import { RegistryError } from '../../oci/index.ts';

/** Answers what is not even HTTP, or came too slowly, in the protocol's form, and ends the connection. */
export function answerUnreadable(error: { readonly code?: string | undefined }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET' || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const { status, reason, message } = describe(error.code);
  const body = new RegistryError('UNSUPPORTED', message, { status }).body();
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}

function describe(code: string | undefined): { status: number; reason: string; message: string } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, reason: 'Request Header Fields Too Large', message: 'the header is too large' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, reason: 'Request Timeout', message: 'the request took too long to arrive' };
    case 'CONNECT':
      return { status: 405, reason: 'Method Not Allowed', message: 'this is no forward proxy' };
    default:
      return { status: 400, reason: 'Bad Request', message: 'the request is not valid HTTP' };
  }
}
