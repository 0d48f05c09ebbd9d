import type { ServerResponse } from 'node:http';
import { startServer, type TestServer } from './server.ts';

/** A token server that accepts one user, and knows which tokens it gave. */
export interface TokenServer extends TestServer {
  readonly realm: string;
  password: string;
  lifetimeSeconds: number | undefined;
  /** Answers in its place once. */
  next: ((response: ServerResponse) => void) | undefined;
  accepts(token: string, scope: string): boolean;
  revokeAll(): void;
}

/** @param anonymous whether a token is given to nobody too */
export async function startTokenServer(
  username: string,
  password: string,
  anonymous = false,
): Promise<TokenServer> {
  const tokens = new Map<string, string>();
  let serial = 0;
  const server = await startServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://tokens');
    if (tokenServer.next) {
      const act = tokenServer.next;
      tokenServer.next = undefined;
      act(response);
      return;
    }
    const right = `Basic ${Buffer.from(`${username}:${tokenServer.password}`).toString('base64')}`;
    const shown = request.headers.authorization;
    if (shown === undefined ? !anonymous : shown !== right) {
      response.writeHead(401).end();
      return;
    }
    serial += 1;
    const token = `token-${serial}`;
    tokens.set(token, url.searchParams.get('scope') ?? '');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token, expires_in: tokenServer.lifetimeSeconds }));
  });
  const tokenServer: TokenServer = Object.assign(Object.create(server) as TestServer, {
    realm: `${server.origin}/token`,
    password,
    lifetimeSeconds: 300 as number | undefined,
    next: undefined as ((response: ServerResponse) => void) | undefined,
    accepts: (token: string, scope: string) => tokens.get(token) === scope,
    revokeAll: () => tokens.clear(),
  });
  return tokenServer;
}
