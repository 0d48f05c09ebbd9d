import type { Agent } from 'undici';
import { readBounded } from '../core/index.ts';
import {
  guardedLookup,
  type HostLookup,
  type Reach,
  requireSafeUrl,
  systemHostLookup,
} from './address-guard.ts';

export interface HttpClientOptions {
  readonly reach: Reach;
  /** PEM certificates to trust instead of the system list. */
  readonly certificateAuthority?: string | undefined;
  /** What is shown to a server that asks for it; both PEM. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string } | undefined;
  /** For a connection, for the header of an answer, and between two pieces of its body. */
  readonly timeoutMs: number;
  /** A larger body is an error. */
  readonly maximumBytes: number;
  readonly resolve?: HostLookup;
}

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** In lower case; a header that came several times is a list. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Small requests to services beside the registries: key sets, directories of issuers, webhooks. */
export interface HttpClient {
  /**
   * Sends one request, follows no redirect, and reads the whole body.
   * @throws {UnsafeAddressError | BodyTooLargeError} or what the network says; the signal's reason when it is aborted
   */
  request(url: URL, request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 15_000;
const MAXIMUM_HEADER_BYTES = 64 * 1024;
const MAXIMUM_CONNECTIONS = 16;

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { reach, certificateAuthority, clientCertificate, timeoutMs, maximumBytes } = options;
  const { resolve = systemHostLookup } = options;
  const agentOptions: Agent.Options = {
    connect: {
      timeout: timeoutMs,
      lookup: guardedLookup(reach, resolve),
      ...(certificateAuthority !== undefined && { ca: certificateAuthority }),
      ...(clientCertificate && { cert: clientCertificate.certificate, key: clientCertificate.key }),
    },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connections: MAXIMUM_CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAXIMUM_HEADER_BYTES,
  };
  let opened: Promise<Agent> | undefined;

  /** Loaded when it is needed: programs on nodes mostly do without. */
  async function open(): Promise<Agent> {
    const undici = await import('undici');
    return new undici.Agent(agentOptions);
  }

  return {
    async request(url, { method = 'GET', headers = {}, body, signal }) {
      requireSafeUrl(url, reach);
      opened ??= open();
      const agent = await opened;
      const answer = await agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: { 'accept-encoding': 'identity', ...headers },
        body: body ?? null,
        signal,
      });
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: await readBounded(answer.body, maximumBytes),
      };
    },
    async close() {
      const agent = await opened;
      await agent?.close();
    },
  };
}
