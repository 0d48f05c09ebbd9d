import {
  type Descriptor,
  type Digest,
  digestAlgorithm,
  digestHex,
  mediaTypes,
  parseDescriptor,
  parseTag,
  type RepositoryName,
} from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { ReferrersOptions, ReferrersPage } from '../../upstream.ts';
import { statusError } from '../answers/index.ts';
import type { Manifests } from '../content/index.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Exchange } from '../exchange.ts';
import { jsonObject, listIn } from './json-body.ts';
import { MAXIMUM_LISTING_BYTES } from './listings.ts';
import { nextQuery } from './next-query.ts';

/** Answers of a registry that lacks the referrers API. */
const UNSUPPORTED: ReadonlySet<number> = new Set([400, 404, 405, 501]);

/** What refers to a manifest: signatures, attestations, bills of materials. */
export class Referrers {
  readonly #endpoint: Endpoint;
  readonly #exchange: Exchange;
  readonly #manifests: Pick<Manifests, 'get'>;

  constructor(endpoint: Endpoint, exchange: Exchange, manifests: Pick<Manifests, 'get'>) {
    this.#endpoint = endpoint;
    this.#exchange = exchange;
    this.#manifests = manifests;
  }

  /** @see OCI distribution specification 1.1, "Listing Referrers" */
  async list(repository: RepositoryName, subject: Digest, options: ReferrersOptions): Promise<ReferrersPage> {
    const { artifactType, signal } = options;
    const query = new URLSearchParams(options.query);
    if (artifactType !== undefined) query.set('artifactType', artifactType);
    const url = this.#endpoint.referrers(repository, subject, query);
    const answer = await this.#exchange.small({
      method: 'GET',
      url,
      scope: this.#endpoint.pullScope(repository),
      headers: { accept: mediaTypes.OCI_INDEX },
      limitBytes: MAXIMUM_LISTING_BYTES,
      signal,
    });
    if (UNSUPPORTED.has(answer.status)) return this.#byTag(repository, subject, signal);
    if (answer.status !== 200) throw statusError(answer, `the referrers of ${subject} in ${repository}`);
    const filters = answer.headers
      .all('oci-filters-applied')
      .join(',')
      .split(/[\t ,]+/);
    return {
      manifests: descriptorsIn(answer.content),
      filtered: artifactType !== undefined && filters.includes('artifactType'),
      next: nextQuery(answer.headers, url),
    };
  }

  /** @see OCI distribution specification 1.1, "Referrers Tag Schema" */
  async #byTag(repository: RepositoryName, subject: Digest, signal: AbortSignal): Promise<ReferrersPage> {
    const none: ReferrersPage = { manifests: [], filtered: false, next: undefined };
    const tag = parseTag(`${digestAlgorithm(subject)}-${digestHex(subject)}`.slice(0, 128));
    if (!tag) return none;
    try {
      const index = await this.#manifests.get(
        repository,
        { type: 'tag', tag },
        { accept: [mediaTypes.OCI_INDEX], signal },
      );
      return mediaTypes.isIndexType(index.mediaType)
        ? { ...none, manifests: descriptorsIn(index.content) }
        : none;
    } catch (error) {
      if (error instanceof UpstreamError && error.kind === 'not-found') return none;
      throw error;
    }
  }
}

function descriptorsIn(content: Buffer): Descriptor[] {
  return listIn(jsonObject(content).manifests).flatMap((value) => {
    const descriptor = parseDescriptor(value);
    return descriptor ? [descriptor] : [];
  });
}
