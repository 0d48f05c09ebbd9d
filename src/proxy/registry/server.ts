import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { RegistryError } from '../../oci/index.ts';
import type { Telemetry } from '../../telemetry/index.ts';
import { answerUnreadable } from './client-error.ts';
import { createDoor } from './door.ts';
import { parseListenAddress } from './listen-address.ts';
import type { ServerOptions } from './options.ts';
import type { LeaseParts } from './parts.ts';
import { RunningRequests } from './running.ts';

const MAXIMUM_HEADER_BYTES = 32_768;
const MAXIMUM_FORM_BYTES = 65_536;
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
    serverFactory: (handler) => server.on('request', handler).on('checkExpectation', handler),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    exposeHeadRoutes: false,
    trustProxy: (address) => trusts(lease, address),
    forceCloseConnections: true,
    frameworkErrors: (error, _request, reply) => answerEarly(error, reply),
  });
  readFormsOnly(app);
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
    // All bodies that are read are small forms.
    requestTimeout: options.headerTimeout,
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

/** Forms are for the token endpoint; other bodies stay unread, because nothing here takes them. */
function readFormsOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: MAXIMUM_FORM_BYTES },
    (_request, body, done) => done(null, body),
  );
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
}

function trusts(lease: LeaseParts, address: string): boolean {
  const { parts, release } = lease();
  release();
  return parts.trusts(address);
}

/** Requests that fail before they come to the door: a path that can't be decoded, a form that is too large. */
function answerEarly(error: unknown, reply: FastifyReply): void {
  const status = (error as { statusCode?: unknown }).statusCode === 413 ? 413 : 400;
  const code = status === 413 ? 'SIZE_INVALID' : 'UNSUPPORTED';
  const failure = new RegistryError(
    code,
    status === 413 ? 'the form is too large' : 'the request is not valid',
    { status },
  );
  void reply.code(status).header('Connection', 'close').type('application/json').send(failure.body());
}
