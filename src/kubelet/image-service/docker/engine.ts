import { chooseApiVersion } from './api-version.ts';
import { createEngineConnection, type EngineConnection, type EngineRequest } from './connection.ts';
import { EngineError } from './errors.ts';

/** What is asked of Docker Engine; the path is without a version. */
export interface EngineCall extends Omit<EngineRequest, 'path'> {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
}

/** Docker Engine in the version of its API that it and we speak. */
export interface Engine {
  /** @see EngineConnection.json */
  json(call: EngineCall): Promise<unknown>;
  /** @see EngineConnection.stream */
  stream(call: EngineCall): Promise<AsyncIterable<Buffer>>;
}

export function createEngine(socket: string): Engine {
  const connection = createEngineConnection(socket);
  let known: string | undefined;

  async function version(signal: AbortSignal): Promise<string> {
    if (known !== undefined) return known;
    const chosen = chooseApiVersion(await connection.json({ method: 'GET', path: '/version', signal }));
    if (chosen === undefined) {
      throw new EngineError(200, `what answers at ${socket} is not Docker Engine`);
    }
    known = chosen;
    return chosen;
  }

  /** An engine that was replaced by one of another version refuses the old one; then it is asked again. */
  async function ask<T>(
    { path, query, ...rest }: EngineCall,
    send: (connection: EngineConnection, request: EngineRequest) => Promise<T>,
  ): Promise<T> {
    const queryText = query ? `?${new URLSearchParams(query)}` : '';
    const spoken = await version(rest.signal);
    try {
      return await send(connection, { ...rest, path: `/v${spoken}${path}${queryText}` });
    } catch (error) {
      if (!isVersionRefused(error)) throw error;
      if (known === spoken) known = undefined;
      const other = await version(rest.signal);
      if (other === spoken) throw error;
      return send(connection, { ...rest, path: `/v${other}${path}${queryText}` });
    }
  }

  return {
    json: (call) => ask(call, (to, request) => to.json(request)),
    stream: (call) => ask(call, (to, request) => to.stream(request)),
  };
}

/** `client version 1.44 is too old. Minimum supported API version is 1.45 …`; there is no code for it. */
function isVersionRefused(error: unknown): boolean {
  return (
    error instanceof EngineError &&
    error.statusCode === 400 &&
    /^client version \S+ is too (?:old|new)/.test(error.message)
  );
}
