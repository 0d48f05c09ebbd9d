import { randomUUID } from 'node:crypto';
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
} from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { RegistryError } from '../../oci/index.ts';
import type { Telemetry } from '../../telemetry/index.ts';
import { answerUnreadable } from './client-error.ts';
import { createDoor } from './door.ts';
import { readForm } from './form.ts';
import { parseListenAddress } from './listen-address.ts';
import type { ServerOptions } from './options.ts';
import type { LeaseParts } from './parts.ts';
import { RunningRequests } from './running.ts';

const MAXIMUM_HEADER_BYTES = 32_768;
const FORM = 'application/x-www-form-urlencoded';
const KEEP_ALIVE_MS = 75_000;
const CONNECTION_CHECK_MS = 2_000;

export interface RegistryServer {
  /** @returns the port, once clients are heard. */
  listen(): Promise<number>;
  /** Takes new TLS certificates into use; connections that stand keep theirs. */
  renewCertificates(tls: NonNullable<ServerOptions['tls']>): void;
  /** Turns new requests away with 503; resolves when the running ones have ended. */
  drain(): Promise<void>;
  /** Ends at once, running requests too. */
  close(): Promise<void>;
}

export interface RegistryServerDependencies {
  readonly lease: LeaseParts;
  readonly telemetry: Telemetry;
}

/** The HTTP server that docker, podman and containerd talk to. Limits are set here; what a request means, behind the door. */
export function createRegistryServer(
  options: ServerOptions,
  dependencies: RegistryServerDependencies,
): RegistryServer {
  const { lease, telemetry } = dependencies;
  const running = new RunningRequests();
  const server = createLimitedServer(options);
  const app = fastify({
    serverFactory: (handler) =>
      server
        .on('request', handler)
        .on('checkExpectation', handler)
        // A body is asked for when it is read, and not before it is known whether it may come.
        .on('checkContinue', (request, response) => {
          if (isForm(request.headers)) response.writeContinue();
          handler(request, response);
        }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    exposeHeadRoutes: false,
    trustProxy: (address) => trusts(lease, address),
    forceCloseConnections: true,
    frameworkErrors: (error, _request, reply) => answerEarly(error, reply),
  });
  readFormsOnly(app, options.headerTimeout);
  app.setErrorHandler((error, _request, reply) => answerEarly(error, reply));
  const door = createDoor({ lease, running, telemetry });
  app.all('/*', door);
  app.setNotFoundHandler(door);

  return {
    async listen() {
      await app.listen(parseListenAddress(options.address));
      return (server.address() as AddressInfo).port;
    },
    renewCertificates(tls) {
      if (server instanceof HttpsServer) server.setSecureContext(certificates(tls));
    },
    drain() {
      server.closeIdleConnections();
      return running.drain();
    },
    close: () => app.close(),
  };
}

function createLimitedServer(options: ServerOptions): Server | HttpsServer {
  const limits = {
    maxHeaderSize: MAXIMUM_HEADER_BYTES,
    headersTimeout: options.headerTimeout,
    // A push may take hours; whoever reads a body watches its progress.
    requestTimeout: 0,
    connectionsCheckingInterval: CONNECTION_CHECK_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
    // The door refuses it in the protocol's own form.
    requireHostHeader: false,
  };
  const server = options.tls
    ? createHttpsServer({
        ...limits,
        ...certificates(options.tls),
        // Clients may come without one; what a certificate is good for is for a verifier to say.
        requestCert: options.tls.clientCertificateAuthorityFile !== undefined,
        rejectUnauthorized: false,
        minVersion: 'TLSv1.2',
        handshakeTimeout: options.headerTimeout,
      })
    : createHttpServer(limits);
  server.maxConnections = options.maximumConnections;
  return server
    .on('clientError', answerUnreadable)
    .on('connect', (_request, socket: Socket) => answerUnreadable({ code: 'CONNECT' }, socket));
}

function certificates(tls: NonNullable<ServerOptions['tls']>): { cert: string; key: string; ca?: string } {
  const { certificateFile, keyFile, clientCertificateAuthorityFile } = tls;
  const ca = clientCertificateAuthorityFile && { ca: clientCertificateAuthorityFile.text() };
  return { cert: certificateFile.text(), key: keyFile.text(), ...ca };
}

/** Forms are for the token endpoint and the pages; other bodies stay unread until somebody wants them. */
function readFormsOnly(app: FastifyInstance, timeoutMs: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(FORM, async (request: FastifyRequest, payload: IncomingMessage) =>
    isBelowRegistry(request.url) ? undefined : readForm(payload, timeoutMs),
  );
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
}

/** Some clients call anything a form that has no other type, even the blob that they push. */
function isBelowRegistry(url: string): boolean {
  return url.startsWith('/v2/');
}

function isForm({ 'content-type': type = '' }: IncomingHttpHeaders): boolean {
  return type.toLowerCase().startsWith(FORM);
}

function trusts(lease: LeaseParts, address: string): boolean {
  const { parts, release } = lease();
  release();
  return parts.trusts(address);
}

/** Requests that fail before they come to the door: a path that can't be decoded, a form that is too large or too slow. */
function answerEarly(error: unknown, reply: FastifyReply): void {
  const failure =
    error instanceof RegistryError
      ? error
      : new RegistryError('UNSUPPORTED', 'the request is not valid', { status: 400 });
  const { status } = failure;
  void reply.code(status).header('Connection', 'close').type('application/json').send(failure.body());
}
