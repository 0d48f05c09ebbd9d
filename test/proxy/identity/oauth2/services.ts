import type { FakeAnswer, HttpFake, Received } from '../support/http-fake.ts';
import { startFake } from '../support/http-fake.ts';
import { basicAuthorization } from './support.ts';

/** A service with its good token, whose answers a test may change. */
export interface TokenService {
  readonly server: HttpFake;
  readonly token: string;
  /** Answers in the place of the service where it returns something. */
  interfere(answer: (request: Received) => FakeAnswer | undefined): void;
}

export const CLIENT = 'client:1';
export const SECRET = 'secret + of/client';
const ENCODED_SECRET = 'secret+%2B+of%2Fclient';

async function start(token: string, answer: (request: Received) => FakeAnswer): Promise<TokenService> {
  let interference: (request: Received) => FakeAnswer | undefined = () => undefined;
  const server = await startFake((request) => interference(request) ?? answer(request));
  return {
    server,
    token,
    interfere: (next) => {
      interference = next;
    },
  };
}

/** RFC 7662: a known client asks by form. What it does not know is `{"active": false}` and nothing else. */
export function startIntrospection(now: number): Promise<TokenService> {
  // RFC 6749, section 2.3.1: both parts are form-encoded first.
  const client = basicAuthorization('client%3A1', ENCODED_SECRET);
  const token = 'opaque-2YotnFZFEjr1zCsicMWpAA';
  return start(token, ({ method, path, headers, body }) => {
    if (path !== '/introspect') return { status: 404 };
    if (headers.authorization !== client) return { status: 401, body: { error: 'invalid_client' } };
    if (method !== 'POST' || headers['content-type'] !== 'application/x-www-form-urlencoded') {
      return { status: 400, body: { error: 'invalid_request' } };
    }
    if (new URLSearchParams(body).get('token') !== token) return { status: 200, body: { active: false } };
    return { status: 200, body: introspected(now) };
  });
}

export function introspected(now: number): Record<string, unknown> {
  const seconds = Math.floor(now / 1000);
  return {
    active: true,
    scope: 'read pull',
    client_id: 'app-1',
    username: 'anna',
    sub: 'user-1',
    aud: ['docker.example.com', 'other'],
    iss: 'https://issuer.example',
    token_type: 'Bearer',
    iat: seconds,
    exp: seconds + 3600,
    groups: ['staff'],
  };
}

/** GitHub's API answers nobody without a User-Agent, and checks tokens for the app they belong to. */
export function startGithub(): Promise<TokenService> {
  const token = 'gho_16C7e42F292c6912E7710c838347Ae178B4a';
  const client = basicAuthorization('Iv1.abc', ENCODED_SECRET);
  const isUser = (headers: Received['headers']) => headers.authorization === `Bearer ${token}`;
  return start(token, ({ method, path, headers, body }) => {
    if (!headers['user-agent'])
      return { status: 403, body: { message: 'Request forbidden by administrative rules.' } };
    if (path === '/applications/Iv1.abc/token') {
      if (headers.authorization !== client) return { status: 401, body: { message: 'Bad credentials' } };
      if (method !== 'POST') return { status: 404 };
      if (JSON.parse(body).access_token !== token) return { status: 404, body: { message: 'Not Found' } };
      return {
        status: 200,
        body: {
          id: 1,
          token: null,
          scopes: ['read:org'],
          app: { client_id: 'Iv1.abc', name: 'drp', url: 'https://example.com' },
          expires_at: null,
          user: { login: 'octocat', id: 583231, type: 'User', site_admin: false },
        },
      };
    }
    if (!isUser(headers)) return { status: 401, body: { message: 'Bad credentials' } };
    const url = new URL(path, 'http://github');
    const page = Number(url.searchParams.get('page') ?? 1);
    const size = Number(url.searchParams.get('per_page') ?? 30);
    const all: Record<string, object[]> = {
      '/user/orgs': [
        { login: 'acme', id: 1 },
        { login: 'octo-org', id: 2 },
      ],
      '/user/teams': Array.from({ length: 101 }, (_, index) => ({
        slug: `team-${index}`,
        organization: { login: 'acme' },
      })),
    };
    const list = all[url.pathname];
    return list ? { status: 200, body: list.slice((page - 1) * size, page * size) } : { status: 404 };
  });
}

/** GitLab tells what a token is for, and who its user is to those that have the scope `openid`. */
export function startGitlab(): Promise<TokenService> {
  const token = 'dbaf9757982a9e738f05d249b7b5b4a266b3a139049317c4909f2f263572c781';
  return start(token, ({ path, headers }) => {
    if (headers.authorization !== `Bearer ${token}`) return { status: 401, body: { error: 'invalid_token' } };
    if (path === '/oauth/token/info') {
      return {
        status: 200,
        body: {
          resource_owner_id: 1,
          scope: ['openid'],
          expires_in: 7200,
          application: { uid: CLIENT },
          created_at: 1,
        },
      };
    }
    return path === '/oauth/userinfo'
      ? {
          status: 200,
          body: { sub: '1', nickname: 'anna', email: 'anna@acme.example', groups: ['acme', 'acme/web'] },
        }
      : { status: 404 };
  });
}

/** Google's token information counts seconds in texts. */
export function startGoogle(now: number): Promise<TokenService> {
  const token = 'ya29.a0AfB_byCanary-1';
  return start(token, ({ path, headers }) => {
    const url = new URL(path, 'http://google');
    if (url.pathname === '/tokeninfo') {
      if (url.searchParams.get('access_token') !== token) {
        return { status: 400, body: { error_description: 'Invalid Value' } };
      }
      const exp = String(Math.floor(now / 1000) + 3599);
      return {
        status: 200,
        body: { azp: CLIENT, aud: CLIENT, sub: '117', scope: 'openid', exp, expires_in: '3599' },
      };
    }
    if (headers.authorization !== `Bearer ${token}`) return { status: 401 };
    return {
      status: 200,
      body: { sub: '117', email: 'anna@acme.example', email_verified: true, hd: 'acme.example' },
    };
  });
}
