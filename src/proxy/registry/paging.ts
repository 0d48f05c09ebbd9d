import { formatNextLink, RegistryError } from '../../oci/index.ts';

/** Never more on one page, whatever a client asks for. */
export const MAXIMUM_PAGE = 1000;

/**
 * The page size that a client asks for, at most {@link MAXIMUM_PAGE}.
 * @throws {RegistryError} PAGINATION_NUMBER_INVALID
 */
export function pageSize(query: URLSearchParams): number {
  const text = query.get('n');
  if (text === null) return MAXIMUM_PAGE;
  if (!/^\d{1,9}$/.test(text))
    throw new RegistryError('PAGINATION_NUMBER_INVALID', 'n has to be a number of entries');
  return Math.min(Number(text), MAXIMUM_PAGE);
}

/** The query for an upstream: paging parameters as they came, the mirror's `ns` left out, `n` bounded. */
export function upstreamPage(query: URLSearchParams): URLSearchParams {
  const page = new URLSearchParams(query);
  page.delete('ns');
  if (page.has('n')) page.set('n', String(pageSize(query)));
  return page;
}

/** A `Link` to the next page: the client's own path, the upstream's paging state, and the mirror's `ns` kept. */
export function nextPageHeader(
  path: string,
  next: URLSearchParams | undefined,
  asked: URLSearchParams,
): { Link: string } | undefined {
  if (!next) return undefined;
  const query = new URLSearchParams(next);
  const namespace = asked.get('ns');
  if (namespace !== null) query.set('ns', namespace);
  return { Link: formatNextLink(`${path}?${query}`) };
}
