import type { ServerResponse } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RegistryError } from '../../oci/index.ts';
import type { Telemetry } from '../../telemetry/index.ts';
import { type Answer, errorAnswer } from './answer.ts';
import { readClientCertificate } from './client-certificate.ts';
import { answerEndpoint } from './endpoints.ts';
import { toRegistryError } from './errors.ts';
import { Exchange } from './exchange.ts';
import type { LeaseParts, PartsLease, RegistryParts } from './parts.ts';
import { type RegistryRequest, readHost, readTarget, refuseRepeatedHeaders } from './request.ts';
import { RequestBody } from './request-body.ts';
import type { RunningRequests } from './running.ts';
import { send } from './send.ts';

export interface DoorDependencies {
  readonly lease: LeaseParts;
  readonly running: RunningRequests;
  readonly telemetry: Telemetry;
}

export type Door = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/**
 * The way of every request from the socket and back: it is read once into a typed value, answered with the parts of one
 * configuration, sent, and noted. Never rejects.
 */
export function createDoor({ lease, running, telemetry }: DoorDependencies): Door {
  return async (request, reply) => {
    reply.hijack();
    const response = reply.raw;
    const held = lease();
    running.begin();
    const exchange = new Exchange(request.id, clientAddress(request), telemetry);
    const gone = new AbortController();
    const closed = nothingMoreCanBeSent(response, request.raw.socket).then(() => {
      gone.abort(new Error('the client has gone away'));
      exchange.end(response.writableFinished);
    });
    const { progressTimeoutMs } = held.parts;
    const body = new RequestBody(request.raw, response, {
      progressTimeoutMs,
      onBytes: (count) => {
        exchange.received += count;
      },
    });
    try {
      setCommonHeaders(response, request.id);
      const answer = running.draining
        ? turnedAway(response)
        : await answerTo(request, body, held, exchange, gone.signal);
      // What nobody has read is not taken in for nothing: the connection ends with the answer.
      const unread = body.unread && request.body === undefined;
      if (unread) response.setHeader('Connection', 'close');
      await send(response, answer, exchange, {
        signal: gone.signal,
        progressTimeoutMs,
        beforeEnd: unread ? () => body.discard() : undefined,
      });
    } catch (error) {
      response.destroy();
      if (!gone.signal.aborted)
        exchange.log.warn({ requestId: exchange.id, err: error }, 'the answer was cut short');
    } finally {
      await closed;
      held.release();
      running.end();
    }
  };
}

/**
 * A pipelined answer whose turn never came, and one whose client left while its form was read, never say that they are
 * closed: only their connection does.
 */
function nothingMoreCanBeSent(response: ServerResponse, connection: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('close', done);
      connection.off('close', done);
      resolve();
    };
    // As many as a client pipelines; each goes with its answer.
    connection.setMaxListeners(0);
    response.once('close', done);
    connection.once('close', done);
    if (connection.destroyed) done();
  });
}

/** @returns the answer, an error's too; rejects only when there is nobody left to answer */
async function answerTo(
  raw: FastifyRequest,
  body: RequestBody,
  { parts }: PartsLease,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const request = readRequest(raw, body, parts, signal);
    exchange.host = request.host;
    return await answerEndpoint(request, parts, exchange);
  } catch (error) {
    signal.throwIfAborted();
    return answerFailure(error, exchange);
  }
}

/** An error as an answer; what the client does not hear is in the log. */
export function answerFailure(error: unknown, exchange: Exchange): Answer {
  const failure = toRegistryError(error, exchange.operation);
  if (failure.cause !== undefined || failure.status >= 500) {
    const level = failure.code === 'UNKNOWN' ? 'error' : failure.status >= 500 ? 'warn' : 'debug';
    const fields = {
      requestId: exchange.id,
      status: failure.status,
      upstream: exchange.upstream,
      err: failure.cause,
    };
    exchange.log[level](fields, failure.message);
  }
  return errorAnswer(failure);
}

function readRequest(
  request: FastifyRequest,
  body: RequestBody,
  parts: RegistryParts,
  signal: AbortSignal,
): RegistryRequest {
  refuseRepeatedHeaders(request.raw.rawHeaders);
  const { path, query } = readTarget(request.raw.url ?? '');
  const host = readHost(request.host);
  const publicUrl = parts.publicUrl ?? `${request.protocol === 'https' ? 'https' : 'http'}://${host}`;
  return {
    id: request.id,
    method: request.method,
    path,
    query,
    headers: request.headers,
    client: clientAddress(request),
    host,
    publicUrl,
    service: publicUrl.slice(publicUrl.indexOf('://') + 3),
    certificate: () =>
      readClientCertificate(
        request.raw,
        parts.clientCertificateHeader,
        parts.trusts(request.socket.remoteAddress ?? ''),
      ),
    form: typeof request.body === 'string' ? new URLSearchParams(request.body) : undefined,
    body,
    signal,
  };
}

function setCommonHeaders(response: ServerResponse, requestId: string): void {
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Request-Id', requestId);
}

function turnedAway(response: ServerResponse): Answer {
  response.setHeader('Connection', 'close');
  const error = new RegistryError('UNAVAILABLE', 'the proxy is shutting down; try again', {
    headers: { 'Retry-After': '1' },
  });
  return errorAnswer(error);
}

function clientAddress(request: FastifyRequest): string {
  return isIP(request.ip) ? request.ip : (request.socket.remoteAddress ?? '');
}
