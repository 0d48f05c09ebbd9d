import { parseUrl, readBounded, type Secret } from '../../core/index.ts';
import { type Digest, digestOf, isRecord, mediaTypes, parseChallenges } from '../../oci/index.ts';

const ANSWER_TIMEOUT_MS = 10_000;
const LARGEST_ANSWER_BYTES = 4 * 1024 * 1024;

export interface Login {
  readonly username: string;
  readonly password: Secret;
}

export interface ClientDependencies {
  readonly fetch: typeof globalThis.fetch;
  /** Ends every request that is under way. */
  readonly signal: AbortSignal;
}

/** One answer of the registry. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly content: Buffer;
}

/** Where the registry wants tokens to be fetched. */
export interface TokenService {
  readonly realm: URL;
  readonly service: string;
}

/** The registry said no, with the code of its error. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly reason: string,
  ) {
    super(`${status} ${code}: ${reason}`);
    this.name = 'RefusedError';
  }
}

/** The registry broke the protocol, or sent bytes that are not what their digest says. */
export class RegistryFaultError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RegistryFaultError';
  }
}

/** The requests that a pull is made of, as docker and containerd send them. */
export interface RegistryClient {
  /** `GET /v2/`: the challenge says where tokens come from. */
  ping(): Promise<{ answer: Answer; tokenService: TokenService }>;
  /** Without a login the token is for nobody in particular. @throws {RefusedError} */
  token(from: TokenService, repository: string, login: Login | undefined): Promise<string>;
  /** @throws {RefusedError} */
  get(path: string, token: string): Promise<Answer>;
}

export function createRegistryClient(url: string, { fetch, signal }: ClientDependencies): RegistryClient {
  const request = async (target: URL, headers: Record<string, string>): Promise<Answer> => {
    const response = await fetch(target, {
      headers: { 'accept-encoding': 'identity', ...headers },
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
    const content = await readBounded(response.body ?? emptyBody(), LARGEST_ANSWER_BYTES);
    return { status: response.status, headers: response.headers, content };
  };

  return {
    ping: async () => {
      const answer = await request(new URL('/v2/', url), {});
      return { answer, tokenService: tokenServiceOf(answer, url) };
    },

    token: async ({ realm, service }, repository, login) => {
      const target = new URL(realm);
      target.searchParams.set('service', service);
      target.searchParams.set('scope', `repository:${repository}:pull`);
      const answer = accepted(await request(target, login ? { authorization: basic(login) } : {}));
      const body = parseJson(answer.content);
      if (!isRecord(body) || typeof body.token !== 'string') {
        throw new RegistryFaultError('the token endpoint answered without a token');
      }
      return body.token;
    },

    get: async (path, token) => {
      const headers = { accept: mediaTypes.MANIFEST_TYPES.join(', '), authorization: `Bearer ${token}` };
      return accepted(await request(new URL(path, url), headers));
    },
  };
}

/** @throws {RegistryFaultError} unless the content has this digest */
export function requireDigest(content: Buffer, digest: Digest): void {
  if (digestOf(content) !== digest)
    throw new RegistryFaultError(`the content of ${digest} has another digest`);
}

export function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    throw new RegistryFaultError('the registry sent something else than JSON');
  }
}

function tokenServiceOf({ status, headers }: Answer, url: string): TokenService {
  const challenge = parseChallenges([headers.get('www-authenticate') ?? '']).find(
    ({ scheme }) => scheme === 'bearer',
  );
  const realm = parseUrl(challenge?.parameters.get('realm') ?? '');
  if (status !== 401 || !realm)
    throw new RegistryFaultError(`GET /v2/ answered ${status} without a challenge`);
  // A registry that may name any place for the password would get it sent anywhere.
  if (realm.origin !== new URL(url).origin) {
    throw new RegistryFaultError(
      `the registry sends its clients to another origin, ${realm.origin}, for tokens`,
    );
  }
  return { realm, service: challenge?.parameters.get('service') ?? '' };
}

function accepted(answer: Answer): Answer {
  if (answer.status === 200) return answer;
  const body = parseJson(answer.content);
  const error: unknown = isRecord(body) && Array.isArray(body.errors) ? body.errors[0] : undefined;
  if (!isRecord(error))
    throw new RegistryFaultError(`the registry answered ${answer.status} without an error code`);
  throw new RefusedError(answer.status, String(error.code), String(error.message));
}

function basic({ username, password }: Login): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}`;
}

async function* emptyBody(): AsyncGenerator<Uint8Array> {}
