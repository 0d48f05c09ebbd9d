import { RegistryError, type RepositoryName } from '../../../oci/index.ts';
import { type Upstream, UpstreamError, type UpstreamErrorKind } from '../../upstream/index.ts';
import { type Answer, jsonAnswer } from '../answer.ts';
import { MAXIMUM_PAGE, nextPageHeader, pageSize } from '../paging.ts';
import type { CatalogRequest } from './pull.ts';

/** More names than this are not gathered for one answer. */
const MAXIMUM_NAMES = 100_000;

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
    for (const repository of upstream ? await repositoriesOf(upstream, signal) : []) {
      for (const name of own.map((listing) => listing.clientName(repository))) {
        if (name !== undefined && name > last && bearer.decide(name, 'pull').allowed) names.add(name);
      }
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

async function repositoriesOf(upstream: Upstream, signal: AbortSignal): Promise<RepositoryName[]> {
  const repositories: RepositoryName[] = [];
  let query: URLSearchParams | undefined = new URLSearchParams({ n: String(MAXIMUM_PAGE) });
  try {
    while (query) {
      const page = await upstream.catalog({ query, signal });
      repositories.push(...page.repositories);
      if (repositories.length > MAXIMUM_NAMES) throw tooManyNames();
      if (page.next?.toString() === query.toString()) break;
      query = page.next;
    }
  } catch (error) {
    if (error instanceof UpstreamError && NO_CATALOG.has(error.kind)) return [];
    throw error;
  }
  return repositories;
}

function tooManyNames(): RegistryError {
  return new RegistryError('UNSUPPORTED', `there are more than ${MAXIMUM_NAMES} repositories to list`);
}
