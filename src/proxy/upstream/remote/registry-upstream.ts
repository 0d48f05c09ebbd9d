import type { Clock } from '../../../core/index.ts';
import type { CredentialProvider } from '../../../credentials/index.ts';
import { type HostLookup, systemHostLookup } from '../../../network/index.ts';
import type { Logger, Metrics } from '../../../telemetry/index.ts';
import type { UpstreamOptions } from '../options.ts';
import type { Upstream } from '../upstream.ts';
import { type RetryDependencies, readSmallAnswer, withRetries } from './answers/index.ts';
import { Authenticator, type TokenSender } from './authorization/index.ts';
import { createRateLimitGauges } from './budget/index.ts';
import { Blobs, Manifests, SparingManifests } from './content/index.ts';
import { Endpoint } from './endpoint.ts';
import { Exchange } from './exchange.ts';
import { Listings, Referrers } from './listing/index.ts';
import {
  createBulkTransport,
  createSmallTransport,
  createUploadTransport,
  instrumented,
  type Transport,
} from './transport/index.ts';
import { createPushTarget } from './upload/index.ts';
import { userAgent } from './user-agent.ts';

export interface RegistryUpstreamDependencies {
  readonly credentials: CredentialProvider;
  readonly clock: Clock;
  /** From 0 to below 1, for jitter only. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** How host names become addresses; the system's way when missing. */
  readonly resolve?: HostLookup;
}

export type RegistryUpstreamOptions = Omit<UpstreamOptions, 'layout' | 'credentials' | 'url'> & {
  readonly url: string;
};

const MAXIMUM_TOKEN_ANSWER_BYTES = 1024 * 1024;

/** A registry as an upstream: the client side of the distribution protocol. */
export function createRegistryUpstream(
  name: string,
  options: RegistryUpstreamOptions,
  dependencies: RegistryUpstreamDependencies,
): Upstream {
  const { credentials, clock, random, metrics } = dependencies;
  const log = dependencies.log.child({ upstream: name });
  const recovered = (reason: string) => metrics.upstreamRecoveries.inc({ upstream: name, reason });

  const endpoint = new Endpoint(options.url);
  const { small, bulk, upload } = createTransports(name, options, dependencies);
  const retries: RetryDependencies = { clock, random, onRetry: () => recovered('retry') };
  const authenticator = new Authenticator(
    { registry: endpoint.url, registryName: endpoint.name, realms: options.realms },
    {
      credentials,
      clock,
      log,
      sendTokenRequest: (signal) => tokenSender(small, signal, retries),
      onRenewal: () => recovered('reauthenticate'),
      random,
      onRateLimit: (account, limit) => gauges.show(account, limit),
    },
  );
  const gauges = createRateLimitGauges(name, options.rateLimit.floor, { metrics, log });
  const exchange = new Exchange(
    { registry: endpoint.url, redirects: options.redirects },
    { small, bulk, upload, authenticator, retries },
  );
  const manifests = new SparingManifests(new Manifests(endpoint, exchange), {
    clock,
    accounts: authenticator.accounts,
    floor: options.rateLimit.floor,
    onLastKnown: () => recovered('last-known'),
  });
  const blobs = new Blobs(options, {
    endpoint,
    exchange,
    clock,
    random,
    log,
    onResume: () => recovered('resume'),
  });
  const listings = new Listings(endpoint, exchange);
  const referrers = new Referrers(endpoint, exchange, manifests);

  return {
    name,
    manifest: (repository, reference, call) => manifests.get(repository, reference, call),
    manifestHead: (repository, reference, call) => manifests.head(repository, reference, call),
    blob: (repository, digest, call) => blobs.get(repository, digest, call),
    blobHead: (repository, digest, call) => blobs.head(repository, digest, call),
    tags: (repository, call) => listings.tags(repository, call),
    referrers: (repository, subject, call) => referrers.list(repository, subject, call),
    catalog: (call) => listings.catalog(call),
    push: createPushTarget({ endpoint, exchange, redirects: options.redirects }),
    close: async () => {
      authenticator.close();
      gauges.close();
      await Promise.all([small.close(), bulk.close(), upload.close(), credentials.close()]);
    },
  };
}

function createTransports(
  name: string,
  options: RegistryUpstreamOptions,
  { clock, metrics, resolve = systemHostLookup }: RegistryUpstreamDependencies,
): { readonly small: Transport; readonly bulk: Transport; readonly upload: Transport } {
  const transportOptions = {
    connectTimeoutMs: options.connectTimeout,
    answerTimeoutMs: options.answerTimeout,
    progressTimeoutMs: options.progressTimeout,
    connections: options.connections,
    certificateAuthority: options.certificateAuthorityFile?.text(),
    resolve,
    now: () => clock.now(),
  };
  // No compression: layers are compressed already, and digests are over the bytes as they are stored.
  const headers = { 'user-agent': userAgent(), 'accept-encoding': 'identity' };
  const onEnd = (status: string) => metrics.upstreamRequests.inc({ upstream: name, status });
  return {
    small: instrumented(createSmallTransport(transportOptions), headers, onEnd),
    bulk: instrumented(createBulkTransport(transportOptions), headers, onEnd),
    upload: instrumented(createUploadTransport(transportOptions), headers, onEnd),
  };
}

function tokenSender(small: Transport, signal: AbortSignal, retries: RetryDependencies): TokenSender {
  return ({ url, trust, headers, form }) => {
    const body = form && Buffer.from(form.toString());
    const send = async () => {
      const answer = await small.request({
        url,
        trust,
        headers,
        signal,
        ...(body === undefined ? { method: 'GET' } : { method: 'POST', body }),
      });
      return readSmallAnswer(answer, MAXIMUM_TOKEN_ANSWER_BYTES);
    };
    return withRetries(send, signal, retries);
  };
}
