import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as sendHttp } from 'node:http';
import { Agent as HttpsAgent, request as sendHttps } from 'node:https';
import type { ByteStream } from '../../../../core/index.ts';
import { guardedLookup } from '../../../../network/index.ts';
import { UpstreamError } from '../../errors.ts';
import { reachOf, requireSafeTarget } from './address-guard.ts';
import { AnswerHeaders } from './answer-headers.ts';
import { BodyPump, SourceFailure } from './body-pump.ts';
import { trustedCertificates } from './certificates.ts';
import { connectionFailure } from './connection-failure.ts';
import type { SmallTransportOptions } from './small-transport.ts';
import type { Answer, StreamedBody, Transport, TransportRequest, Trust } from './transport.ts';

export interface UploadTransportOptions extends SmallTransportOptions {
  /** How long a registry may take to ask for the body, before it gets it unasked. */
  readonly continueTimeoutMs?: number;
}

interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

const CONTINUE_TIMEOUT_MS = 1000;
const MAXIMUM_REMEMBERED_ORIGINS = 256;
const MAXIMUM_HEADER_BYTES = 64 * 1024;
const EXPECTATION_FAILED = 417;

/**
 * The door for bodies that are sent while they come. A registry is asked first whether it wants the body
 * (`Expect: 100-continue`), because a body that has flowed can't be sent again after a 401. One that does not say is
 * remembered, and from then on gets the body unasked. Each request has a connection of its own, so none meets one that
 * the other side is just closing.
 */
export function createUploadTransport(options: UploadTransportOptions): Transport {
  const agents: Readonly<Record<Trust, Agents>> = {
    own: createAgents('own', options),
    listed: createAgents('listed', options),
    public: createAgents('public', options),
  };
  const silent = new Set<string>();

  return {
    request: async (request) => {
      requireSafeTarget(request);
      request.signal.throwIfAborted();
      const { origin } = request.url;
      const onSilence = () => {
        if (silent.size >= MAXIMUM_REMEMBERED_ORIGINS) silent.clear();
        silent.add(origin);
      };
      const send = (ask: boolean) =>
        sendUpload(request, agents[request.trust], { ...options, ask, onSilence });
      const ask = !silent.has(origin);
      const answer = await send(ask);
      if (!ask || answer.status !== EXPECTATION_FAILED) return answer;
      answer.discard();
      onSilence();
      return send(false);
    },
    close: async () => {
      // Only what is idle would be ended here, and nothing is kept idle.
    },
  };
}

function createAgents(trust: Trust, options: SmallTransportOptions): Agents {
  const ca = trustedCertificates(trust, options.certificateAuthority);
  const lookup = guardedLookup(reachOf(trust), options.resolve);
  const common = { keepAlive: false, maxSockets: options.connections, lookup };
  return { http: new HttpAgent(common), https: new HttpsAgent({ ...common, ...(ca && { ca }) }) };
}

interface SendOptions extends UploadTransportOptions {
  /** Ask before the body flows. */
  readonly ask: boolean;
  readonly onSilence: () => void;
}

async function sendUpload(request: TransportRequest, agents: Agents, options: SendOptions): Promise<Answer> {
  const { url, signal, answerTimeoutMs = options.answerTimeoutMs } = request;
  const body = streamed(request.body);
  const message = open(request, body, agents, options.ask);
  limitConnecting(message, options.connectTimeoutMs);
  const answered = answerOf(message);
  const pump = new BodyPump(message, body, options.progressTimeoutMs);
  try {
    message.flushHeaders();
    const early = options.ask ? await firstWord(message, answered, options) : undefined;
    const response = early ?? (await sendBody(message, answered, pump, answerTimeoutMs));
    response.setTimeout(options.progressTimeoutMs, () => message.destroy(stalled('the answer stands still')));
    if (early) pump.stop();
    return createAnswer(response, message, url.origin, signal);
  } catch (error) {
    pump.stop();
    message.destroy();
    throw error instanceof SourceFailure ? error.cause : connectionFailure(url.origin, error, signal);
  }
}

/** Success that comes before the last byte has left waits for it; anything else needs no more of them. */
async function sendBody(
  message: ClientRequest,
  answered: Promise<IncomingMessage>,
  pump: BodyPump,
  answerTimeoutMs: number,
): Promise<IncomingMessage> {
  let waiting = true;
  const pumping = pump.run();
  const whole = pumping.then(() => {
    if (waiting) limitAnswer(message, answerTimeoutMs);
    return answered;
  });
  const response = await Promise.race([answered, whole]);
  waiting = false;
  if (isSuccess(response)) await pumping;
  else {
    pump.stop();
    whole.catch(() => {});
  }
  return response;
}

function open(
  { url, method, headers, signal }: TransportRequest,
  body: StreamedBody,
  agents: Agents,
  ask: boolean,
): ClientRequest {
  const framing: Record<string, string> =
    body.sizeBytes === undefined
      ? { 'transfer-encoding': 'chunked' }
      : { 'content-length': String(body.sizeBytes) };
  const options = {
    method,
    headers: { ...headers, ...framing, ...(ask && { expect: '100-continue' }) },
    maxHeaderSize: MAXIMUM_HEADER_BYTES,
    signal,
  };
  return url.protocol === 'https:'
    ? sendHttps(url, { ...options, agent: agents.https })
    : sendHttp(url, { ...options, agent: agents.http });
}

function streamed(body: TransportRequest['body']): StreamedBody {
  if (body === undefined) return { sizeBytes: 0, bytes: piecesOf(undefined) };
  return body instanceof Uint8Array ? { sizeBytes: body.length, bytes: piecesOf(body) } : body;
}

async function* piecesOf(body: Uint8Array | undefined): ByteStream & AsyncGenerator<Uint8Array, void> {
  if (body) yield body;
}

/** Whoever waits hears of a failure; where nobody waits any more, nobody is missed. */
function answerOf(message: ClientRequest): Promise<IncomingMessage> {
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    message.once('response', resolve);
    message.on('error', reject);
  });
  answered.catch(() => {});
  return answered;
}

/** @returns an answer that came instead of the request for the body; undefined: send it */
function firstWord(
  message: ClientRequest,
  answered: Promise<IncomingMessage>,
  { continueTimeoutMs = CONTINUE_TIMEOUT_MS, onSilence }: SendOptions,
): Promise<IncomingMessage | undefined> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const silence = () => {
      onSilence();
      resolve(undefined);
    };
    // Only once the question has been sent does its answer take time.
    whenConnected(message, () => {
      timer = setTimeout(silence, continueTimeoutMs);
    });
    const wanted = () => {
      clearTimeout(timer);
      resolve(undefined);
    };
    message.once('continue', wanted);
    answered.then(
      (response) => {
        clearTimeout(timer);
        resolve(response);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

function limitConnecting(message: ClientRequest, timeoutMs: number): void {
  message.once('socket', () => {
    const late = () => message.destroy(stalled('no connection comes about'));
    const timer = setTimeout(late, timeoutMs);
    whenConnected(message, () => clearTimeout(timer));
    message.once('close', () => clearTimeout(timer));
  });
}

function limitAnswer(message: ClientRequest, timeoutMs: number): void {
  const late = () => message.destroy(stalled('no answer comes in time'));
  const timer = setTimeout(late, timeoutMs);
  message.once('response', () => clearTimeout(timer));
  message.once('close', () => clearTimeout(timer));
}

function whenConnected(message: ClientRequest, act: () => void): void {
  const watch = () => {
    const { socket } = message;
    if (!socket) return;
    const encrypted = 'encrypted' in socket;
    if (socket.connecting || encrypted) socket.once(encrypted ? 'secureConnect' : 'connect', act);
    else act();
  };
  if (message.socket) watch();
  else message.once('socket', watch);
}

function stalled(what: string): UpstreamError {
  return new UpstreamError('unreachable', `a body is being sent, and ${what}`);
}

function isSuccess({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300;
}

function createAnswer(
  response: IncomingMessage,
  message: ClientRequest,
  origin: string,
  signal: AbortSignal,
): Answer {
  const headers = new Map(
    Object.entries(response.headersDistinct).map(([name, values]) => [name, values ?? []] as const),
  );
  return {
    status: response.statusCode ?? 0,
    headers: new AnswerHeaders(headers),
    body: answerBody(response, message, origin, signal),
    discard: () => message.destroy(),
  };
}

async function* answerBody(
  response: IncomingMessage,
  message: ClientRequest,
  origin: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* response as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw connectionFailure(origin, error, signal);
  } finally {
    // The rest of a body that was refused is not sent.
    message.destroy();
  }
}
