import { parseRepositoryName, parseTag, type RepositoryName } from '../../../../oci/index.ts';
import { UpstreamError } from '../../errors.ts';
import type { CatalogPage, PageOptions, TagPage } from '../../upstream.ts';
import { type SmallAnswer, statusError } from '../answers/index.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Exchange } from '../exchange.ts';
import { jsonObject, listIn } from './json-body.ts';
import { nextQuery } from './next-query.ts';
import { orderedTags } from './ordered-tags.ts';

export const MAXIMUM_LISTING_BYTES = 16 * 1024 * 1024;
const CATALOG_SCOPE = 'registry:catalog:*';

/** Tags and repositories of a registry; names that break the grammar are left out. */
export class Listings {
  readonly #endpoint: Endpoint;
  readonly #exchange: Exchange;

  constructor(endpoint: Endpoint, exchange: Exchange) {
    this.#endpoint = endpoint;
    this.#exchange = exchange;
  }

  /** @see OCI distribution specification 1.1, "Listing tags" */
  async tags(repository: RepositoryName, { query, signal }: PageOptions): Promise<TagPage> {
    const url = this.#endpoint.tags(repository, query);
    const answer = await this.#ask(url, this.#endpoint.pullScope(repository), signal);
    if (answer.status !== 200) throw statusError(answer, `the tags of ${repository}`);
    const tags = listIn(jsonObject(answer.content).tags).filter(isTag);
    const next = nextQuery(answer.headers, url);
    return next ? { tags, next } : orderedTags(tags, query);
  }

  /** A registry that keeps its catalog to itself may say so with nearly any status. */
  async catalog({ query, signal }: PageOptions): Promise<CatalogPage> {
    const url = this.#endpoint.catalog(query);
    const answer = await this.#ask(url, CATALOG_SCOPE, signal).catch((error: unknown) => {
      throw error instanceof UpstreamError && error.kind === 'refused' ? noCatalog(error) : error;
    });
    if ([401, 403, 404, 405, 501].includes(answer.status))
      throw noCatalog(statusError(answer, 'its catalog'));
    if (answer.status !== 200) throw statusError(answer, 'its catalog');
    const repositories = listIn(jsonObject(answer.content).repositories).flatMap((name) => {
      const repository = typeof name === 'string' ? parseRepositoryName(name) : undefined;
      return repository ? [repository] : [];
    });
    return { repositories, next: nextQuery(answer.headers, url) };
  }

  #ask(url: URL, scope: string, signal: AbortSignal): Promise<SmallAnswer> {
    return this.#exchange.small({
      method: 'GET',
      url,
      scope,
      headers: { accept: 'application/json' },
      limitBytes: MAXIMUM_LISTING_BYTES,
      signal,
    });
  }
}

function isTag(value: unknown): value is string {
  return typeof value === 'string' && parseTag(value) !== undefined;
}

function noCatalog(cause: UpstreamError): UpstreamError {
  return new UpstreamError('unsupported', 'the registry shows us no catalog', { cause });
}
