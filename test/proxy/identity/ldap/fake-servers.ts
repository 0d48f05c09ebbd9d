import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { BerReader, BerWriter } from 'ldapts';
import type { IssuedCertificate } from '../../../support/certificates.ts';

/** A server of the test's own, beside the real ones. */
export interface FakeServer {
  readonly port: number;
  /** Connections that are open now. */
  readonly open: number;
  close(): Promise<void>;
}

const BIND_RESPONSE = 0x61;
const EXTENDED_RESPONSE = 0x78;
const INVALID_CREDENTIALS = 49;
const SEQUENCE = 0x30;
const OCTET_STRING = 0x04;

/** Takes connections and hands them to `serve`. */
export async function startTcpServer(serve: (socket: Socket) => void): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    get open() {
      return sockets.size;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Takes connections and never says a word. */
export function startSilentServer(): Promise<FakeServer> {
  return startTcpServer((socket) => socket.resume());
}

/** Answers each bind with one result code and message. */
export async function startBindServer(
  code: number,
  message = '',
): Promise<FakeServer & { readonly binds: number }> {
  let binds = 0;
  const server = await startTcpServer((socket) => {
    socket.on('data', () => {
      binds += 1;
    });
    answerBinds(socket, code, message);
  });
  return {
    port: server.port,
    close: server.close,
    get open() {
      return server.open;
    },
    get binds() {
      return binds;
    },
  };
}

/**
 * Agrees to StartTLS and, like somebody on the way, sends the beginning of a message in the clear behind it: a bind that
 * succeeded, which swallows as a trailing field the true answer that comes encrypted, a refusal.
 */
export function startInjectingServer(certificate: IssuedCertificate): Promise<FakeServer> {
  const secureContext = createSecureContext({ cert: certificate.certificatePem, key: certificate.keyPem });
  const refusalLength = result(0, BIND_RESPONSE, INVALID_CREDENTIALS).length;
  return startTcpServer((socket) => {
    socket.once('data', (request: Buffer) => {
      const secure = new TLSSocket(socket, { isServer: true, secureContext });
      secure.on('error', () => undefined);
      answerBinds(secure, INVALID_CREDENTIALS, '');
      const agreement = result(messageIdOf(request), EXTENDED_RESPONSE, 0);
      const [, , ...success] = result(messageIdOf(request) + 1, BIND_RESPONSE, 0);
      const rest = [...success, OCTET_STRING, refusalLength];
      socket.write(Buffer.from([...agreement, SEQUENCE, rest.length + refusalLength, ...rest]));
    });
  });
}

function answerBinds(socket: Socket, code: number, message: string): void {
  socket.on('data', (request: Buffer) =>
    socket.write(result(messageIdOf(request), BIND_RESPONSE, code, message)),
  );
}

function messageIdOf(request: Buffer): number {
  const reader = new BerReader(request);
  reader.readSequence();
  return reader.readInt() ?? 0;
}

function result(messageId: number, tag: number, code: number, message = ''): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(messageId);
  writer.startSequence(tag);
  writer.writeEnumeration(code);
  writer.writeString('');
  writer.writeString(message);
  writer.endSequence();
  writer.endSequence();
  return writer.buffer;
}
