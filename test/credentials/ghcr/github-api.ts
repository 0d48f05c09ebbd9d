import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { jwtVerify } from 'jose';
import { type HttpFake, startFake } from '../../proxy/identity/support/http-fake.ts';

/** GitHub's API, as far as an app fetches installation tokens from it. It refuses what GitHub refuses. */
export interface GitHubApi extends HttpFake {
  /** Of the app's private key. */
  readonly privateKeyPem: string;
  /** Tokens that were given out, newest last. */
  readonly tokens: readonly string[];
}

export const APP_ID = 'Iv23liExample';
export const INSTALLATION = 4711;
/** One for all tests: making it takes longer than they do. */
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const LONGEST_SECONDS = 600;
const LIFETIME_SECONDS = 3600;

/** @param now GitHub's clock, milliseconds since the epoch */
export async function startGitHubApi(now: () => number): Promise<GitHubApi> {
  const tokens: string[] = [];
  const fake = await startFake(async ({ method, path, headers, body }) => {
    const date = { date: new Date(now()).toUTCString() };
    const refuse = (status: number, message: string) => ({ status, headers: date, body: { message } });
    if (headers['user-agent'] === undefined) return refuse(403, 'Request forbidden by administrative rules');
    const assertion = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
    const problem = await problemOf(assertion, publicKey, now());
    if (problem !== undefined) return refuse(401, problem);
    const [, installation] = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(path) ?? [];
    if (installation !== String(INSTALLATION)) return refuse(404, 'Not Found');
    if (method !== 'POST') return refuse(404, 'Not Found');
    const { permissions = {} } = JSON.parse(body || '{}') as { permissions?: Record<string, string> };
    if (Object.entries(permissions).some(([name, level]) => name !== 'packages' || level !== 'read')) {
      return refuse(422, 'The permissions requested are not granted to this installation.');
    }
    const token = `ghs_canary${tokens.length + 1}`;
    tokens.push(token);
    const expiresAt = new Date(now() + LIFETIME_SECONDS * 1000).toISOString();
    return { status: 201, headers: date, body: { token, expires_at: expiresAt, permissions } };
  });
  return Object.assign(fake, {
    tokens,
    privateKeyPem: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
  });
}

/** What GitHub says to an assertion that it does not take. */
async function problemOf(assertion: string, key: KeyObject, now: number): Promise<string | undefined> {
  try {
    const { payload } = await jwtVerify(assertion, key, {
      algorithms: ['RS256'],
      currentDate: new Date(now),
      requiredClaims: ['iss', 'iat', 'exp'],
    });
    const seconds = now / 1000;
    if (payload.iss !== APP_ID) return 'A JSON web token could not be decoded';
    if ((payload.iat ?? 0) > seconds) return "'Issued at' claim ('iat') must be in the past";
    if ((payload.exp ?? 0) > seconds + LONGEST_SECONDS) {
      return "'Expiration time' claim ('exp') is too far in the future";
    }
    return undefined;
  } catch {
    return 'A JSON web token could not be decoded';
  }
}
