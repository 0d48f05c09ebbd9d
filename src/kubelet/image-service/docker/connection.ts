import { type IncomingMessage, request } from 'node:http';
import { BodyTooLargeError, readBounded } from '../../../core/index.ts';
import { EngineError, EngineUnreachableError } from './errors.ts';

/** One request to Docker Engine. */
export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the version and the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** HTTP over the unix socket. Each request has a connection of its own, so a restart leaves none behind that is dead. */
export interface EngineConnection {
  /**
   * The whole answer as JSON; undefined for an empty one.
   * @throws {EngineError | EngineUnreachableError}; the signal's reason when it is aborted
   */
  json(request: EngineRequest): Promise<unknown>;
  /**
   * The body as it comes, without limits of its own.
   * @throws like {@link json}, also while it is read
   */
  stream(request: EngineRequest): Promise<AsyncIterable<Buffer>>;
}

/** Kubelet waits for 2 minutes, and then nobody would hear why. */
const ANSWER_TIMEOUT_MS = 110_000;
/** What kubelet takes at the most. */
const MAXIMUM_ANSWER_BYTES = 16 * 1024 * 1024;
const MAXIMUM_ERROR_BYTES = 64 * 1024;
const MAXIMUM_ERROR_CHARACTERS = 1000;

export function createEngineConnection(socket: string): EngineConnection {
  return {
    async json({ signal: asked, ...rest }) {
      asked.throwIfAborted();
      const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
      const signal = AbortSignal.any([asked, timeout]);
      try {
        const answer = await send(socket, { ...rest, signal });
        const body = await readBounded(answer, MAXIMUM_ANSWER_BYTES);
        return body.length === 0 ? undefined : parseJson(body);
      } catch (error) {
        asked.throwIfAborted();
        if (timeout.aborted) {
          throw new EngineUnreachableError(
            `Docker Engine gave no answer within ${ANSWER_TIMEOUT_MS / 1000} s; see the log of docker.service`,
          );
        }
        throw asUnreachable(error, socket);
      }
    },
    async stream(engineRequest) {
      const { signal } = engineRequest;
      signal.throwIfAborted();
      const named = (error: unknown): unknown => {
        signal.throwIfAborted();
        return asUnreachable(error, socket);
      };
      let answer: IncomingMessage;
      try {
        answer = await send(socket, engineRequest);
      } catch (error) {
        throw named(error);
      }
      return renamingErrors(answer, named);
    },
  };
}

async function* renamingErrors(body: AsyncIterable<Buffer>, named: (error: unknown) => unknown) {
  try {
    yield* body;
  } catch (error) {
    throw named(error);
  }
}

async function send(
  socketPath: string,
  { method, path, headers, signal }: EngineRequest,
): Promise<IncomingMessage> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({
      socketPath,
      method,
      path,
      headers: { host: 'docker', ...(method === 'POST' && { 'content-length': '0' }), ...headers },
      agent: false,
      signal,
    });
    sent.once('response', resolve);
    sent.once('error', reject);
    sent.end();
  });
  const { statusCode = 0 } = answer;
  if (statusCode >= 200 && statusCode < 300) return answer;
  throw new EngineError(statusCode, await errorMessage(answer, statusCode));
}

/** The answer is `{"message": …}`, or a text where something stands in front of Docker Engine. */
async function errorMessage(answer: IncomingMessage, statusCode: number): Promise<string> {
  const text = await readBounded(answer, MAXIMUM_ERROR_BYTES).then(
    (body) => body.toString('utf8').trim(),
    () => '',
  );
  let message = text;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed)
      message = String(parsed.message);
  } catch {
    // A text of its own, then.
  }
  return message.slice(0, MAXIMUM_ERROR_CHARACTERS) || `Docker Engine answered with status ${statusCode}`;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new EngineError(200, 'Docker Engine answered with something that is not JSON', { cause });
  }
}

function asUnreachable(error: unknown, socket: string): unknown {
  if (error instanceof EngineError) return error;
  if (error instanceof BodyTooLargeError) {
    return new EngineError(200, `Docker Engine's answer is larger than ${error.limitBytes} bytes`);
  }
  const code = (error as { code?: unknown }).code;
  const reason = typeof code === 'string' ? code : String(error);
  const next =
    code === 'EACCES' ? 'this has to run as root or in the group docker' : 'is docker.service running?';
  return new EngineUnreachableError(`Docker Engine can't be reached at ${socket} (${reason}): ${next}`, {
    cause: error,
  });
}
