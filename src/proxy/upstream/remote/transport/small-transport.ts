import { Agent, type Dispatcher, errors } from 'undici';
import type { ByteStream } from '../../../../core/index.ts';
import { guardedLookup, type HostLookup } from '../../../../network/index.ts';
import { UpstreamError } from '../../errors.ts';
import { abortable } from '../abortable.ts';
import { reachOf, requireSafeTarget } from './address-guard.ts';
import { AnswerHeaders } from './answer-headers.ts';
import { trustedCertificates } from './certificates.ts';
import { connectionFailure } from './connection-failure.ts';
import type { Answer, Transport, TransportOptions, Trust } from './transport.ts';

export interface SmallTransportOptions extends TransportOptions {
  readonly certificateAuthority: string | undefined;
  readonly resolve: HostLookup;
}

const KEEP_ALIVE_MS = 15_000;
const MAXIMUM_DRAINED_BYTES = 64 * 1024;

/** The door for tokens, manifests, listings and HEAD. */
export function createSmallTransport(options: SmallTransportOptions): Transport {
  const agents: Readonly<Record<Trust, Agent>> = {
    own: createAgent('own', options),
    listed: createAgent('listed', options),
    public: createAgent('public', options),
  };
  let closed: Promise<unknown> | undefined;
  return {
    request: async (request) => {
      requireSafeTarget(request);
      const { url, method, headers, body, signal } = request;
      signal.throwIfAborted();
      try {
        const call = agents[request.trust].request({
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method,
          headers,
          signal,
          ...(body !== undefined && { body }),
        });
        // While a request waits for a connection, undici takes no notice of its signal.
        return createAnswer(await abortable(call, signal), url.origin, signal);
      } catch (error) {
        throw translate(error, url.origin, signal);
      }
    },
    close: async () => {
      closed ??= Promise.all(Object.values(agents).map((agent) => agent.close()));
      await closed;
    },
  };
}

function createAgent(trust: Trust, options: SmallTransportOptions): Agent {
  const ca = trustedCertificates(trust, options.certificateAuthority);
  return new Agent({
    connect: {
      timeout: options.connectTimeoutMs,
      lookup: guardedLookup(reachOf(trust), options.resolve),
      ...(ca && { ca }),
    },
    headersTimeout: options.answerTimeoutMs,
    bodyTimeout: options.progressTimeoutMs,
    connections: options.connections,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: 64 * 1024,
  });
}

function createAnswer(data: Dispatcher.ResponseData, origin: string, signal: AbortSignal): Answer {
  const headers = new Map(
    Object.entries(data.headers).map(([name, value = '']) => [name, Array.isArray(value) ? value : [value]]),
  );
  return {
    status: data.statusCode,
    headers: new AnswerHeaders(headers),
    body: translated(data.body, origin, signal),
    discard: () => void data.body.dump({ limit: MAXIMUM_DRAINED_BYTES }).catch(() => {}),
  };
}

async function* translated(body: ByteStream, origin: string, signal: AbortSignal): ByteStream {
  try {
    yield* body;
  } catch (error) {
    throw translate(error, origin, signal);
  }
}

function translate(error: unknown, origin: string, signal: AbortSignal): unknown {
  if (isProtocolError(error) && !signal.aborted) {
    return new UpstreamError('faulty', `${origin} does not speak proper HTTP`, { cause: error });
  }
  return connectionFailure(origin, error, signal);
}

function isProtocolError(error: unknown): boolean {
  return (
    error instanceof errors.HTTPParserError ||
    error instanceof errors.HeadersOverflowError ||
    error instanceof errors.ResponseContentLengthMismatchError
  );
}
