import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FakeRegistry, sendError, startFakeRegistry } from './fake-registry.ts';
import { startServer, type TestServer } from './server.ts';

/** An account of the fake, or nobody: those who come without a login are counted together, by their address. */
export interface HubAccount {
  readonly username: string;
  readonly password: string;
  /** Pulls in a window. */
  limit: number;
  used: number;
  /** Whether it is turned away from the manifests, though its login is good. */
  forbidden?: boolean;
}

/**
 * Docker Hub's manner of speaking in front of a registry: its token server, a count of the manifests that each account
 * pulls by GET, HEAD for nothing, and 429 when nothing is left.
 */
export interface DockerHub {
  readonly registry: FakeRegistry;
  readonly tokens: TestServer;
  readonly accounts: ReadonlyMap<string, HubAccount>;
  /** What a 429 says about when to come again; nothing when undefined. */
  retryAfter: string | undefined;
  /** Methods of the requests for manifests since the last call, each with the account. */
  takeManifestRequests(): string[];
}

const WINDOW_SECONDS = 21_600;
const ANONYMOUS = '';

export async function startDockerHub(...accounts: Omit<HubAccount, 'used'>[]): Promise<DockerHub> {
  const known = new Map<string, HubAccount>(
    [{ username: ANONYMOUS, password: '', limit: 10 }, ...accounts].map((account) => [
      account.username,
      { ...account, used: 0 },
    ]),
  );
  const holders = new Map<string, HubAccount>();
  const seen: string[] = [];

  const tokens = await startServer((request, response) => {
    const account = accountOf(request, known);
    if (!account) return void response.writeHead(401).end('{"details":"incorrect username or password"}');
    const token = `hub-token-${holders.size + 1}`;
    holders.set(token, account);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token, access_token: token, expires_in: 300 }));
  });

  const registry = await startFakeRegistry();
  registry.login = {
    type: 'bearer',
    realm: `${tokens.origin}/token`,
    accepts: (token) => holders.has(token),
  };
  registry.script((request, response) => {
    const account = holders.get(request.headers.authorization?.replace(/^Bearer /, '') ?? '');
    if (!account || !/\/manifests\//.test(request.url ?? '')) return false;
    seen.push(`${request.method} ${account.username || 'anonymous'}`);
    if (account.forbidden) {
      response.setHeader('www-authenticate', `Bearer realm="${tokens.origin}/token",service="registry"`);
      sendError(response, 401, 'UNAUTHORIZED');
      return true;
    }
    return count(account, request, response);
  });

  function count(account: HubAccount, request: IncomingMessage, response: ServerResponse): boolean {
    const isCounted = request.method === 'GET';
    const isOver = isCounted && account.used >= account.limit;
    if (isCounted && !isOver) account.used += 1;
    response.setHeader('ratelimit-limit', `${account.limit};w=${WINDOW_SECONDS}`);
    response.setHeader('ratelimit-remaining', `${account.limit - account.used};w=${WINDOW_SECONDS}`);
    response.setHeader('docker-ratelimit-source', account.username === ANONYMOUS ? '192.0.2.1' : 'b5a3fa4e');
    if (!isOver) return false;
    if (hub.retryAfter !== undefined) response.setHeader('retry-after', hub.retryAfter);
    sendError(response, 429, 'TOOMANYREQUESTS');
    return true;
  }

  const hub: DockerHub = {
    registry,
    tokens,
    accounts: known,
    retryAfter: '60',
    takeManifestRequests: () => seen.splice(0),
  };
  return hub;
}

function accountOf(
  { headers }: IncomingMessage,
  known: ReadonlyMap<string, HubAccount>,
): HubAccount | undefined {
  const [, encoded] = /^Basic (.+)$/.exec(headers.authorization ?? '') ?? [];
  if (encoded === undefined) return headers.authorization === undefined ? known.get(ANONYMOUS) : undefined;
  const [username = '', password] = Buffer.from(encoded, 'base64').toString().split(':');
  const account = known.get(username);
  return account?.password === password ? account : undefined;
}
