import { setImmediate as nextTurn } from 'node:timers/promises';
import { RegistryError, type RepositoryName } from '../../../oci/index.ts';
import {
  type CatalogPage,
  type Upstream,
  UpstreamError,
  type UpstreamErrorKind,
} from '../../upstream/index.ts';
import { type Answer, jsonAnswer } from '../answer.ts';
import { MAXIMUM_PAGE, nextPageHeader, pageSize } from '../paging.ts';
import type { Listing } from '../routing.ts';
import type { CatalogRequest } from './pull.ts';

/** More names than this are not gathered for one answer. */
const MAXIMUM_NAMES = 20_000;

/** Registries that keep their list to themselves: their repositories are pulled by name, and not listed. */
const NO_CATALOG: ReadonlySet<UpstreamErrorKind> = new Set(['unsupported', 'not-found', 'refused']);

/**
 * The repositories that this caller may pull, in the client's names, of every upstream that lists its own.
 * Filtered first, then paged: a page never tells how many names were left out.
 */
export async function answerCatalog({ request, parts, bearer, namespace }: CatalogRequest): Promise<Answer> {
  const { query, signal } = request;
  const size = pageSize(query);
  const last = query.get('last') ?? '';
  const listings = parts.router.listings({ host: request.host, namespace });

  const names = new Set<RepositoryName>();
  for (const upstreamName of new Set(listings.map((listing) => listing.upstream))) {
    const upstream = parts.upstreams.get(upstreamName);
    const own = listings.filter((listing) => listing.upstream === upstreamName);
    for await (const page of upstream ? pagesOf(upstream, signal) : []) {
      for (const name of page.flatMap((repository) => clientNames(own, repository))) {
        if (name > last && bearer.decide(name, 'pull').allowed) names.add(name);
      }
      // Long lists are work; others want to be served meanwhile.
      await nextTurn();
      signal.throwIfAborted();
    }
  }

  const sorted = [...names].sort();
  const repositories = sorted.slice(0, size);
  const next =
    repositories.length > 0 && sorted.length > size
      ? new URLSearchParams({ n: String(size), last: repositories.at(-1) ?? '' })
      : undefined;
  return jsonAnswer(200, { repositories }, { ...nextPageHeader(request.path, next, query) });
}

function clientNames(listings: readonly Listing[], repository: RepositoryName): RepositoryName[] {
  return listings.flatMap((listing) => listing.clientName(repository) ?? []);
}

async function* pagesOf(
  upstream: Upstream,
  signal: AbortSignal,
): AsyncGenerator<readonly RepositoryName[], void> {
  let query: URLSearchParams | undefined = new URLSearchParams({ n: String(MAXIMUM_PAGE) });
  let count = 0;
  try {
    while (query) {
      const page: CatalogPage = await upstream.catalog({ query, signal });
      count += page.repositories.length;
      if (count > MAXIMUM_NAMES) throw tooManyNames();
      yield page.repositories;
      if (page.next?.toString() === query.toString()) return;
      query = page.next;
    }
  } catch (error) {
    if (error instanceof UpstreamError && NO_CATALOG.has(error.kind)) return;
    throw error;
  }
}

function tooManyNames(): RegistryError {
  return new RegistryError('UNSUPPORTED', `there are more than ${MAXIMUM_NAMES} repositories to list`);
}
