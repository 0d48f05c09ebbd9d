import type { Clock } from '../../../../core/index.ts';
import {
  type Credential,
  type CredentialProvider,
  createCredentialProvider,
} from '../../../../credentials/index.ts';
import { type HostLookup, systemHostLookup } from '../../../../network/index.ts';
import { parseRepositoryName, parseTag } from '../../../../oci/index.ts';
import type { Logger } from '../../../../telemetry/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { UpstreamOptions } from '../../options.ts';
import { readSmallAnswer, type SmallAnswer } from '../answers/index.ts';
import { authorizationFor, chooseScheme, type Scheme } from '../authorization/index.ts';
import { type RateLimit, readRateLimit } from '../budget/index.ts';
import { Endpoint } from '../endpoint.ts';
import { createSmallTransport } from '../transport/index.ts';
import { userAgent } from '../user-agent.ts';

/** What a registry says to somebody who shows nothing. */
export interface Ping {
  readonly status: number;
  /** The registry's clock, milliseconds since the epoch, where it says it. */
  readonly date: number | undefined;
  /**
   * How it wants to be shown a credential; undefined where it wants none.
   * @throws {UpstreamError} `unsafe` for a realm that is not allowed, `refused` for schemes that we do not know
   */
  scheme(): Scheme | undefined;
}

export interface ProbeDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  readonly resolve?: HostLookup;
}

/** Looks at a registry step by step, each as the proxy itself would take it, for whoever wants to know where it fails. */
export interface UpstreamProbe {
  /** What is dialled. */
  readonly url: URL;
  /** One for each credential, in the order of a pool. */
  readonly providers: readonly CredentialProvider[];
  /** @see OCI distribution specification 1.1, "Determining Support" */
  ping(signal: AbortSignal): Promise<Ping>;
  /** @throws when there should be a credential and it can't be had now */
  credential(provider: CredentialProvider, signal: AbortSignal): Promise<Credential | undefined>;
  /**
   * Logs in, as `docker login` does.
   * @throws {UpstreamError} says who turned the credential away
   */
  login(scheme: Scheme, credential: Credential | undefined, signal: AbortSignal): Promise<void>;
  /** What the credential has left, by a request that costs nothing; undefined where the registry does not say. */
  rateLimit(
    scheme: Scheme,
    credential: Credential | undefined,
    signal: AbortSignal,
  ): Promise<RateLimit | undefined>;
  close(): Promise<void>;
}

const MAXIMUM_ANSWER_BYTES = 1024 * 1024;
/** Docker's own, for asking what is left. @see Docker Hub, "Usage and limits" */
const RATE_LIMIT_REPOSITORY = parseRepositoryName('ratelimitpreview/test');
const RATE_LIMIT_TAG = parseTag('latest');

/** @throws {CredentialOptionsError} when a file of its credentials does not hold what it should */
export function createUpstreamProbe(
  options: UpstreamOptions & { readonly url: string },
  { clock, log, resolve = systemHostLookup }: ProbeDependencies,
): UpstreamProbe {
  const endpoint = new Endpoint(options.url);
  const provider = createCredentialProvider(options.credentials, { clock, log });
  const transport = createSmallTransport({
    connectTimeoutMs: options.connectTimeout,
    answerTimeoutMs: options.answerTimeout,
    progressTimeoutMs: options.progressTimeout,
    connections: 1,
    certificateAuthority: options.certificateAuthorityFile?.text(),
    resolve,
  });
  const headers = { 'user-agent': userAgent(), 'accept-encoding': 'identity' };
  const root = new URL('/v2/', endpoint.url);

  const ask = async (
    method: 'GET' | 'HEAD',
    url: URL,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<SmallAnswer> => {
    const answer = await transport.request({
      url,
      trust: 'own',
      method,
      headers: { ...headers, ...(authorization !== undefined && { authorization }) },
      signal,
    });
    return readSmallAnswer(answer, MAXIMUM_ANSWER_BYTES);
  };

  const authorize = (
    scheme: Scheme,
    credential: Credential | undefined,
    scope: string | undefined,
    signal: AbortSignal,
  ) =>
    authorizationFor(scheme, credential, scope, async ({ url, trust, form, headers: own }) => {
      const body = form && Buffer.from(form.toString());
      const answer = await transport.request({
        url,
        trust,
        headers: { ...headers, ...own },
        signal,
        ...(body === undefined ? { method: 'GET' } : { method: 'POST', body }),
      });
      return readSmallAnswer(answer, MAXIMUM_ANSWER_BYTES);
    });

  return {
    url: endpoint.url,
    providers: provider.members ?? [provider],
    async ping(signal) {
      const answer = await ask('GET', root, undefined, signal);
      const date = Date.parse(answer.headers.get('date') ?? '');
      return {
        status: answer.status,
        date: Number.isNaN(date) ? undefined : date,
        scheme: () =>
          answer.status === 401
            ? chooseScheme(answer.headers.all('www-authenticate'), endpoint.url, options.realms)
            : undefined,
      };
    },
    credential: (one, signal) => one.credential({ registry: endpoint.name, signal }),
    async login(scheme, credential, signal) {
      const authorization = await authorize(scheme, credential, undefined, signal);
      const { status } = await ask('GET', root, authorization, signal);
      if (status === 200) return;
      const what = scheme.type === 'basic' ? 'the credential' : 'the token that its own token server gave';
      throw new UpstreamError(
        status === 401 ? 'refused' : 'faulty',
        `the registry answers ${status} to ${what}`,
      );
    },
    async rateLimit(scheme, credential, signal) {
      if (!RATE_LIMIT_REPOSITORY || !RATE_LIMIT_TAG) return undefined;
      const scope = endpoint.pullScope(RATE_LIMIT_REPOSITORY);
      const url = endpoint.manifest(RATE_LIMIT_REPOSITORY, { type: 'tag', tag: RATE_LIMIT_TAG });
      const answer = await ask('HEAD', url, await authorize(scheme, credential, scope, signal), signal);
      return readRateLimit(answer.headers);
    },
    async close() {
      await Promise.all([transport.close(), provider.close()]);
    },
  };
}
