import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import Provider from 'oidc-provider';

export const CLIENT_ID = 'docker-registry-proxy';
export const CLIENT_SECRET = 'canary-client-secret-of-the-proxy';

/** Somebody whom the provider knows. */
export interface Account {
  readonly name: string;
  readonly groups: readonly string[];
}

/** An OpenID provider on a free port whose sign-in page asks for a subject and no password. */
export interface OidcProvider {
  readonly issuer: string;
  /** By subject; what is changed here counts from the next answer on. */
  readonly accounts: Map<string, Account>;
  /** Requests so far, such as `POST /token`. */
  readonly requests: readonly string[];
  /** Resolves when such a request comes next, before it is answered. */
  nextRequest(request: string): Promise<void>;
  /** Refresh tokens that were shown to it. */
  readonly refreshTokens: readonly string[];
  /** Lets sign-ins come back to this URL. */
  register(redirectUri: string): void;
  /** Shows a key that it does not sign with, under the name of the one that it does. */
  showForeignKey(): void;
  /** Signs with a new key from now on; the old one is gone. */
  rotateKeys(): void;
  /** Takes no refresh token that it has issued so far. */
  endRefreshTokens(): void;
  /** While it is down, connections are cut. */
  setDown(down: boolean): void;
  /** Cuts the connection of the next such request when the answer to it is ready, so that nobody hears it. */
  loseNextAnswer(request: string): void;
  /** Holds answers back until {@link setDown} or the end. */
  setHanging(hanging: boolean): void;
  close(): Promise<void>;
}

export async function startOidcProvider(accounts: Readonly<Record<string, Account>>): Promise<OidcProvider> {
  const known = new Map(Object.entries(accounts));
  const requests: string[] = [];
  const incoming = new EventEmitter();
  const refreshTokens: string[] = [];
  const redirectUris: string[] = [];
  const toLose = new Set<string>();
  const sockets = new Set<Socket>();
  const cookieKey = randomUUID();
  const records = new Map<string, Record<string, unknown>>();
  let jwk = newKey();
  let mode: 'up' | 'down' | 'hanging' = 'up';
  let provider: Provider | undefined;
  let foreignKey: Record<string, unknown> | undefined;

  const server = createServer((request, response) => {
    const asked = `${request.method} ${request.url?.split('?')[0]}`;
    requests.push(asked);
    incoming.emit(asked);
    if (mode === 'down') request.socket.destroy();
    if (mode !== 'up') return;
    if (toLose.delete(asked)) response.end = () => response.destroy();
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function build(): Provider {
    return new Provider(issuer, {
      clients: [
        {
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          redirect_uris: [`${issuer}/unused`, ...redirectUris],
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
        },
      ],
      // What was issued before the keys were changed stays good.
      adapter: (model: string) => createAdapter(model, records),
      jwks: { keys: [jwk] },
      cookies: { keys: [cookieKey] },
      claims: { profile: ['preferred_username'], groups: ['groups'], email: ['email'] },
      scopes: ['openid', 'offline_access'],
      clientAuthMethods: ['client_secret_basic'],
      enabledJWA: { idTokenSigningAlgValues: ['ES256', 'RS256'] },
      clientDefaults: { id_token_signed_response_alg: 'ES256' },
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      rotateRefreshToken: true,
      ttl: {
        AccessToken: 300,
        AuthorizationCode: 60,
        IdToken: 300,
        RefreshToken: 86_400,
        Interaction: 600,
        Session: 3600,
        Grant: 86_400,
      },
      interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      findAccount: (_: unknown, subject: string) => {
        const account = known.get(subject);
        if (!account) return undefined;
        const claims = { sub: subject, preferred_username: account.name, groups: [...account.groups] };
        return { accountId: subject, claims: async () => claims };
      },
    });
  }

  function watchTokens(made: Provider): Provider {
    return made.on('grant.success', (context) => {
      const { oidc } = context as { oidc: { params: { refresh_token?: string } } };
      if (oidc.params.refresh_token !== undefined) refreshTokens.push(oidc.params.refresh_token);
    });
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (foreignKey && request.url === '/jwks') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ keys: [foreignKey] }));
      return;
    }
    provider ??= watchTokens(build());
    if (request.url?.startsWith('/interaction/')) await interact(provider, request, response);
    else await provider.callback()(request, response);
  }

  return {
    issuer,
    accounts: known,
    requests,
    nextRequest: async (request) => void (await once(incoming, request)),
    refreshTokens,
    register(redirectUri) {
      redirectUris.push(redirectUri);
      provider = undefined;
    },
    showForeignKey() {
      const { kty, crv, x, y } = newKey();
      foreignKey = { kty, crv, x, y, kid: jwk.kid, use: 'sig', alg: 'ES256' };
    },
    rotateKeys() {
      jwk = newKey();
      provider = undefined;
    },
    endRefreshTokens() {
      for (const id of records.keys()) if (id.startsWith('RefreshToken:')) records.delete(id);
    },
    setDown(down) {
      mode = down ? 'down' : 'up';
      for (const socket of sockets) socket.destroy();
    },
    loseNextAnswer: (request) => void toLose.add(request),
    setHanging(hanging) {
      mode = hanging ? 'hanging' : 'up';
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Keeps the provider's records of one kind. */
function createAdapter(model: string, records: Map<string, Record<string, unknown>>) {
  const key = (id: string) => `${model}:${id}`;
  return {
    upsert: async (id: string, payload: Record<string, unknown>) => void records.set(key(id), payload),
    find: async (id: string) => records.get(key(id)),
    findByUid: async (uid: string) => [...records.values()].find((record) => record.uid === uid),
    findByUserCode: async () => undefined,
    destroy: async (id: string) => void records.delete(key(id)),
    consume: async (id: string) => {
      const record = records.get(key(id));
      if (record) record.consumed = Math.floor(Date.now() / 1000);
    },
    revokeByGrantId: async (grantId: string) => {
      for (const [id, record] of records) if (record.grantId === grantId) records.delete(id);
    },
  };
}

function newKey(): Record<string, unknown> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'ES256' };
}

/** The provider's own pages: a field for the subject; consent is given without asking. */
async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === 'consent') {
    const accountId = session?.accountId ?? '';
    const existing = grantId === undefined ? undefined : await provider.Grant.find(grantId);
    const grant = existing ?? new provider.Grant({ accountId, clientId: params.client_id ?? '' });
    grant.addOIDCScope(params.scope ?? '');
    const consent = { grantId: await grant.save() };
    await provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
    return;
  }
  if (request.method === 'POST') {
    const accountId = new URLSearchParams(await text(request)).get('subject') ?? '';
    await provider.interactionFinished(request, response, { login: { accountId } });
    return;
  }
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end(
    '<!doctype html><title>Provider</title><form method="post"><label>Subject <input name="subject"></label><button>Sign in</button></form>',
  );
}
