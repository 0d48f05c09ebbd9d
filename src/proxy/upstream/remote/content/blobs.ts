import type { ByteStream, Clock } from '../../../../core/index.ts';
import {
  type ByteRange,
  type Digest,
  formatRange,
  mediaTypes,
  type RepositoryName,
} from '../../../../oci/index.ts';
import type { Logger } from '../../../../telemetry/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { BlobAnswer, BlobHead, BlobOptions, CallOptions } from '../../upstream.ts';
import { verifiedBody } from '../../verified-body.ts';
import { statusError } from '../answers/index.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Arrival, Exchange } from '../exchange.ts';
import { blobPart } from './blob-part.ts';
import { contentLength } from './content-length.ts';
import { contentType } from './media-type.ts';
import { resumingBody } from './resuming-body.ts';

export interface BlobsOptions {
  /** Whether whole blobs are checked against their digest on the way. */
  readonly verify: boolean;
}

export interface BlobsDependencies {
  readonly endpoint: Endpoint;
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** A broken body was taken up again. */
  readonly onResume: () => void;
}

/** Blobs of a registry. @see OCI distribution specification 1.1, "Pulling blobs" */
export class Blobs {
  readonly #options: BlobsOptions;
  readonly #dependencies: BlobsDependencies;

  constructor(options: BlobsOptions, dependencies: BlobsDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
  }

  async get(repository: RepositoryName, digest: Digest, options: BlobOptions): Promise<BlobAnswer> {
    const { range, delivery, signal } = options;
    const arrival = await this.#ask(repository, digest, range, signal, delivery === 'redirect');
    if (arrival.handedBack) return { type: 'redirect', location: arrival.handedBack.href };
    const { start, end, sizeBytes, body } = open(arrival, range, repository, digest);
    const whole = arrival.status === 200;
    const resumed = resumingBody({ start, end, sizeBytes, body }, signal, {
      open: async (missing) =>
        open(await this.#ask(repository, digest, missing, signal, false), missing, repository, digest),
      clock: this.#dependencies.clock,
      random: this.#dependencies.random,
      onResume: (error) => this.#noteResume(digest, error),
    });
    return {
      type: 'content',
      sizeBytes,
      part: whole || end === undefined ? undefined : { start, end },
      mediaType: contentType(arrival.headers) ?? mediaTypes.OCTET_STREAM,
      body: whole && this.#options.verify ? verifiedBody(resumed, digest, sizeBytes) : resumed,
    };
  }

  /** By HEAD; where that says no size, by asking for the first byte. */
  async head(repository: RepositoryName, digest: Digest, { signal }: CallOptions): Promise<BlobHead> {
    const { endpoint, exchange } = this.#dependencies;
    const answer = await exchange.small({
      method: 'HEAD',
      url: endpoint.blob(repository, digest),
      scope: endpoint.pullScope(repository),
      limitBytes: 0,
      signal,
    });
    const sizeBytes = contentLength(answer.headers);
    if (answer.status === 200 && sizeBytes !== undefined) {
      return { sizeBytes, mediaType: contentType(answer.headers) ?? mediaTypes.OCTET_STREAM };
    }
    if (answer.status !== 200 && answer.status !== 405 && answer.status !== 501) {
      throw statusError(answer, describe(repository, digest));
    }
    return this.#headByGet(repository, digest, signal);
  }

  async #headByGet(repository: RepositoryName, digest: Digest, signal: AbortSignal): Promise<BlobHead> {
    const first = { start: 0, end: 0 };
    const arrival = await this.#ask(repository, digest, first, signal, false);
    arrival.discard();
    const { sizeBytes } = open(arrival, first, repository, digest);
    if (sizeBytes === undefined)
      throw new UpstreamError('faulty', `${describe(repository, digest)} has no size`);
    return { sizeBytes, mediaType: contentType(arrival.headers) ?? mediaTypes.OCTET_STREAM };
  }

  #ask(
    repository: RepositoryName,
    digest: Digest,
    range: ByteRange | undefined,
    signal: AbortSignal,
    handRedirectBack: boolean,
  ): Promise<Arrival> {
    const { endpoint, exchange } = this.#dependencies;
    return exchange.bulk({
      url: endpoint.blob(repository, digest),
      scope: endpoint.pullScope(repository),
      headers: { accept: '*/*', ...(range && { range: formatRange(range) }) },
      handRedirectBack,
      signal,
    });
  }

  #noteResume(digest: Digest, error: unknown): void {
    this.#dependencies.onResume();
    this.#dependencies.log.info({ digest, err: error }, 'a blob broke off and is taken up again');
  }
}

/** What an answer brings; an answer that brings nothing is discarded. */
function open(answer: Arrival, asked: ByteRange | undefined, repository: RepositoryName, digest: Digest) {
  try {
    const complete = answer.status === 200 || (answer.status === 206 && asked !== undefined);
    if (!complete) throw statusError(answer, describe(repository, digest));
    const body: ByteStream = answer.body;
    return { ...blobPart(answer, asked), body };
  } catch (error) {
    answer.discard();
    throw error;
  }
}

function describe(repository: RepositoryName, digest: Digest): string {
  return `the blob ${digest} of ${repository}`;
}
