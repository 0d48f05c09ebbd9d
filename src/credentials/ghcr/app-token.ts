import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type Clock, type FileReference, Secret } from '../../core/index.ts';
import type { HttpAnswer, HttpClient } from '../../network/index.ts';
import { CredentialError, CredentialOptionsError } from '../errors.ts';
import type { Credential } from '../provider.ts';
import type { GitHubAppOptions } from './options.ts';

export interface AppTokenDependencies {
  readonly clock: Pick<Clock, 'now'>;
  readonly http: HttpClient;
  readonly userAgent: string;
}

/** GitHub takes ten minutes at most; a clock that runs a little ahead must not pass that. */
const LIFETIME_SECONDS = 540;
/** GitHub refuses a token from its future. */
const BACKDATED_SECONDS = 60;
const LEAST_KEY_BITS = 2048;
const USERNAME = 'x-access-token';

/**
 * Installation tokens of a GitHub App, good for reading packages and nothing else.
 * @see GitHub REST API, "Create an installation access token for an app"
 */
export function createAppTokens(
  options: GitHubAppOptions,
  { clock, http, userAgent }: AppTokenDependencies,
): (signal: AbortSignal) => Promise<Credential> {
  const { id, installation, apiUrl, privateKeyFile } = options;
  const key = readKey(privateKeyFile);
  const url = new URL(`${apiUrl.replace(/\/+$/, '')}/app/installations/${installation}/access_tokens`);
  /** GitHub's clock minus ours, once we know that they differ. */
  let skewMs = 0;

  async function ask(signal: AbortSignal): Promise<HttpAnswer> {
    const nowSeconds = Math.floor((clock.now() + skewMs) / 1000);
    const { SignJWT } = await import('jose');
    const assertion = await new SignJWT({})
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(id)
      .setIssuedAt(nowSeconds - BACKDATED_SECONDS)
      .setExpirationTime(nowSeconds - BACKDATED_SECONDS + LIFETIME_SECONDS)
      .sign(key);
    try {
      return await http.request(url, {
        method: 'POST',
        headers: {
          accept: 'application/vnd.github+json',
          authorization: `Bearer ${assertion}`,
          'content-type': 'application/json',
          'user-agent': userAgent,
          'x-github-api-version': '2022-11-28',
        },
        body: JSON.stringify({ permissions: { packages: 'read' } }),
        signal,
      });
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw new CredentialError(`no answer from ${url.origin}; can it be reached from here?`, { cause });
    }
  }

  return async (signal) => {
    let answer = await ask(signal);
    const seenSkewMs = skewOf(answer, clock.now());
    if (answer.status === 401 && seenSkewMs !== undefined && Math.abs(seenSkewMs - skewMs) > 30_000) {
      skewMs = seenSkewMs;
      answer = await ask(signal);
    }
    if (answer.status !== 201) throw refusal(answer.status, options);
    return readAnswer(answer, skewOf(answer, clock.now()) ?? 0);
  };
}

function readKey(file: FileReference): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(file.text());
  } catch {
    // The parser's own message is of no help, and a cause might quote the key.
    throw new CredentialOptionsError(`${file.path} is not a private key in PEM`);
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType === 'rsa' && bits >= LEAST_KEY_BITS) return key;
  throw new CredentialOptionsError(`${file.path} is not an RSA key of ${LEAST_KEY_BITS} bits or more`);
}

/** @returns undefined where the answer says no time */
function skewOf({ headers }: HttpAnswer, now: number): number | undefined {
  const date = Date.parse(String(headers.date));
  return Number.isNaN(date) ? undefined : date - now;
}

function refusal(status: number, { id, installation }: GitHubAppOptions): CredentialError {
  const causes: Record<number, string> = {
    401: 'do app.id and the private key belong together, and is the clock right?',
    403: 'has the installation been suspended?',
    404: 'is app.installation right, and is the app still installed?',
    422: 'has the app the permission Packages: read, and has the installation accepted it?',
  };
  const hint = causes[status] ?? 'try again later';
  return new CredentialError(
    `GitHub gave no token for the installation ${installation} of the app ${id} (${status}); ${hint}`,
  );
}

function readAnswer({ body }: HttpAnswer, skewMs: number): Credential {
  let value: { token?: unknown; expires_at?: unknown };
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new CredentialError("GitHub's answer is not JSON");
  }
  const { token, expires_at: end } = value ?? {};
  const expiresAt = typeof end === 'string' ? Date.parse(end) - skewMs : Number.NaN;
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token) || Number.isNaN(expiresAt)) {
    throw new CredentialError("GitHub's answer holds no token, or no end of it");
  }
  return { username: USERNAME, password: new Secret(token), expiresAt };
}
