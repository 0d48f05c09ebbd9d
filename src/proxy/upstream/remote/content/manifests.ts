import {
  digestAlgorithm,
  digestOf,
  mediaTypes,
  parseDigest,
  type Reference,
  type RepositoryName,
  referenceText,
} from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { Manifest, ManifestHead, ManifestOptions } from '../../upstream.ts';
import { type SmallAnswer, statusError } from '../answers/index.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Exchange } from '../exchange.ts';
import { contentLength } from './content-length.ts';
import { isVagueType, manifestType } from './manifest-type.ts';
import { contentType } from './media-type.ts';

const MAXIMUM_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Manifests of a registry, checked before anybody sees them. */
export class Manifests {
  readonly #endpoint: Endpoint;
  readonly #exchange: Exchange;

  constructor(endpoint: Endpoint, exchange: Exchange) {
    this.#endpoint = endpoint;
    this.#exchange = exchange;
  }

  /** @see OCI distribution specification 1.1, "Pulling manifests" */
  async get(repository: RepositoryName, reference: Reference, options: ManifestOptions): Promise<Manifest> {
    const answer = await this.#ask('GET', repository, reference, options);
    if (answer.status !== 200) throw statusError(answer, describe(repository, reference));
    const { content } = answer;
    const expected = reference.type === 'digest' ? reference.digest : digestOfHead(answer);
    const digest = digestOf(content, expected && digestAlgorithm(expected));
    if (expected !== undefined && digest !== expected) {
      throw new UpstreamError(
        'faulty',
        `${describe(repository, reference)} has the digest ${digest}, not ${expected}`,
      );
    }
    const mediaType = manifestType(content, contentType(answer.headers));
    return { digest, mediaType, sizeBytes: content.length, content };
  }

  /** By HEAD, which is free where pulls are counted; by GET from registries that leave out half of the answer. */
  async head(
    repository: RepositoryName,
    reference: Reference,
    options: ManifestOptions,
  ): Promise<ManifestHead> {
    const head = await this.look(repository, reference, options);
    if (head) return head;
    const { digest, mediaType, sizeBytes } = await this.get(repository, reference, options);
    return { digest, mediaType, sizeBytes };
  }

  /** By HEAD alone; undefined from registries that leave out half of the answer. */
  async look(
    repository: RepositoryName,
    reference: Reference,
    options: ManifestOptions,
  ): Promise<ManifestHead | undefined> {
    const answer = await this.#ask('HEAD', repository, reference, options);
    if (answer.status === 200) return readHead(answer, reference);
    if (answer.status === 405 || answer.status === 501) return undefined;
    throw statusError(answer, describe(repository, reference));
  }

  #ask(
    method: 'GET' | 'HEAD',
    repository: RepositoryName,
    reference: Reference,
    { accept, signal }: ManifestOptions,
  ): Promise<SmallAnswer> {
    const types = accept.length > 0 ? accept : mediaTypes.MANIFEST_TYPES;
    return this.#exchange.small({
      method,
      url: this.#endpoint.manifest(repository, reference),
      scope: this.#endpoint.pullScope(repository),
      headers: { accept: types.join(', ') },
      limitBytes: MAXIMUM_MANIFEST_BYTES,
      signal,
    });
  }
}

function readHead({ headers }: SmallAnswer, reference: Reference): ManifestHead | undefined {
  const mediaType = contentType(headers);
  const sizeBytes = contentLength(headers);
  const digest = digestOfHead({ headers }) ?? (reference.type === 'digest' ? reference.digest : undefined);
  if (mediaType === undefined || isVagueType(mediaType) || sizeBytes === undefined || !digest)
    return undefined;
  if (reference.type === 'tag') return { digest, mediaType, sizeBytes };
  const sameAlgorithm = digestAlgorithm(digest) === digestAlgorithm(reference.digest);
  if (sameAlgorithm && digest !== reference.digest) {
    throw new UpstreamError('faulty', `asked for ${reference.digest}, and the answer is about ${digest}`);
  }
  return { digest: reference.digest, mediaType, sizeBytes };
}

function digestOfHead({ headers }: Pick<SmallAnswer, 'headers'>) {
  return parseDigest(headers.get('docker-content-digest') ?? '');
}

function describe(repository: RepositoryName, reference: Reference): string {
  return `the manifest ${referenceText(reference)} of ${repository}`;
}
