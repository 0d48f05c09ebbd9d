import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SignJWT } from 'jose';
import { createCertificateAuthority } from '../support/certificates.ts';

const TOKEN_LIFETIME_S = 300;

/** One request that the realm has answered. */
export interface RealmRequest {
  readonly method: string;
  readonly scopes: readonly string[];
  /** Empty when no credential was shown. */
  readonly username: string;
  readonly granted: boolean;
}

/** A token service for registries, as the distribution project's token specification has it. */
export interface TokenRealm {
  readonly url: string;
  /** Just the scheme, host and port of `url`. */
  readonly origin: string;
  readonly service: string;
  readonly issuer: string;
  /** Certificates that a registry's `rootcertbundle` needs. */
  readonly certificatePem: string;
  readonly requests: readonly RealmRequest[];
  /** A token for these scopes, for pushing test images past the realm. */
  issue(...scopes: string[]): Promise<string>;
  close(): Promise<void>;
}

/** Starts a token service on a free port that grants what is asked to one user, and nothing to anybody else. */
export async function startTokenRealm(user: {
  readonly username: string;
  readonly password: string;
}): Promise<TokenRealm> {
  const service = 'registry.test';
  const issuer = 'realm.test';
  const authority = await createCertificateAuthority();
  const { certificatePem, keyPem } = await authority.issue(['realm.test']);
  const certificate = new X509Certificate(certificatePem);
  const key = createPrivateKey(keyPem);
  const requests: RealmRequest[] = [];
  const header = {
    typ: 'JWT',
    alg: key.asymmetricKeyType === 'ec' ? 'ES256' : 'RS256',
    x5c: [certificate.raw.toString('base64')],
  };

  const issue = (...scopes: string[]) =>
    new SignJWT({ access: scopes.map(parseScope) })
      .setProtectedHeader(header)
      .setIssuer(issuer)
      .setAudience(service)
      .setSubject(user.username)
      .setIssuedAt()
      .setNotBefore('-10s')
      .setExpirationTime(`${TOKEN_LIFETIME_S}s`)
      .setJti(crypto.randomUUID())
      .sign(key);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://realm.test');
    const form = new URLSearchParams(request.method === 'POST' ? await text(request) : url.search);
    const scopes = form.getAll('scope').flatMap((value) => value.split(' '));
    const shown = shownCredential(request, form);
    const granted = shown.username === user.username && shown.password === user.password;
    requests.push({ method: request.method ?? '', scopes, username: shown.username, granted });
    response.setHeader('content-type', 'application/json');
    if (!granted) {
      response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED","message":"wrong credential"}]}');
      return;
    }
    const token = await issue(...scopes);
    response.end(JSON.stringify({ token, access_token: token, expires_in: TOKEN_LIFETIME_S }));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${origin}/token`,
    origin,
    service,
    issuer,
    certificatePem: authority.certificatePem,
    requests,
    issue,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function shownCredential(request: IncomingMessage, form: URLSearchParams) {
  const [, basic] = /^Basic (.*)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (basic === undefined) {
    return { username: form.get('username') ?? '', password: form.get('password') ?? '' };
  }
  const [username = '', ...password] = Buffer.from(basic, 'base64').toString().split(':');
  return { username, password: password.join(':') };
}

function parseScope(scope: string) {
  const first = scope.indexOf(':');
  const last = scope.lastIndexOf(':');
  return {
    type: scope.slice(0, first),
    name: scope.slice(first + 1, last),
    actions: scope.slice(last + 1).split(','),
  };
}
