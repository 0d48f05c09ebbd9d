import type { FileReference, Secret } from '../../../core/index.ts';
import { createHttpClient, type HttpAnswer, type HttpRequest } from '../../../network/index.ts';
import { isRecord } from '../../../oci/index.ts';
import { certificateAuthorityOf } from '../certificate-authority.ts';

/** A service that answered what it should not. The message never quotes it. */
export class ServiceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ServiceError';
  }
}

export interface ServiceAnswer {
  readonly status: number;
  /** Undefined where the body is no JSON. */
  readonly json: unknown;
  /** Whether a 403 means too many requests rather than no. */
  readonly isRateLimited: boolean;
}

/** Asks services that the configuration names. */
export interface ServiceClient {
  request(url: URL, request: HttpRequest): Promise<ServiceAnswer>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 5_000;
const MAXIMUM_BYTES = 1024 * 1024;
/** Some services answer nobody who does not say what they are. */
const USER_AGENT = 'docker-registry-proxy';

export function createServiceClient(certificateAuthorityFile?: FileReference): ServiceClient {
  const client = createHttpClient({
    reach: 'any',
    certificateAuthority: certificateAuthorityOf(certificateAuthorityFile),
    timeoutMs: TIMEOUT_MS,
    maximumBytes: MAXIMUM_BYTES,
  });
  let closing: Promise<void> | undefined;
  return {
    async request(url, request) {
      const headers = { accept: 'application/json', 'user-agent': USER_AGENT, ...request.headers };
      const answer = await client.request(url, { ...request, headers });
      return { status: answer.status, json: parseJson(answer.body), isRateLimited: isRateLimited(answer) };
    },
    async close() {
      closing ??= client.close();
      await closing;
    },
  };
}

/**
 * Asks with the user's own token.
 * @returns the JSON value, or `refused` when the service takes no such token
 * @throws {ServiceError} for any other answer
 */
export async function askAsUser(
  client: ServiceClient,
  url: URL,
  token: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly json: unknown } | { readonly refusal: string }> {
  const answer = await client.request(url, {
    headers: { ...headers, authorization: `Bearer ${token}` },
    signal,
  });
  if (answer.status === 401) return { refusal: `${url.host} does not take the token` };
  if (answer.status === 403 && !answer.isRateLimited) {
    return { refusal: `the token may not ask ${url.host}${url.pathname}; it may lack a scope` };
  }
  if (answer.status !== 200 || answer.json === undefined) throw unexpected(url, answer);
  return { json: answer.json };
}

export function unexpected(url: URL, { status, json }: ServiceAnswer): ServiceError {
  const what = status === 200 && json === undefined ? 'something else than JSON' : String(status);
  return new ServiceError(`${url.host}${url.pathname} answered ${what}`);
}

/** @throws {ServiceError} */
export function requireObject(url: URL, json: unknown): Record<string, unknown> {
  if (isRecord(json)) return json;
  throw new ServiceError(`${url.host}${url.pathname} answered no JSON object`);
}

/** `Authorization` of a client, each part form-encoded first. RFC 6749, section 2.3.1. */
export function clientAuthorization(options: {
  readonly clientId: string;
  readonly clientSecret?: Secret | undefined;
  readonly clientSecretFile?: FileReference | undefined;
}): string {
  const secret =
    options.clientSecret?.reveal() ?? options.clientSecretFile?.text().replace(/\r?\n$/, '') ?? '';
  const encode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);
  return `Basic ${Buffer.from(`${encode(options.clientId)}:${encode(secret)}`).toString('base64')}`;
}

export function urlBelow(base: string, path: string): URL {
  return new URL(`${base.replace(/\/$/, '')}${path}`);
}

function isRateLimited({ headers }: HttpAnswer): boolean {
  return headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0';
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
