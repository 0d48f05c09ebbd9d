const LARGEST_PAGE = 1000;

export interface Page<T> {
  readonly items: readonly T[];
  /** The query that asks for the next page. */
  readonly next: URLSearchParams | undefined;
}

/**
 * Takes the entries behind `last`, at most `n` of them; a missing or odd `n` means the largest page.
 * @param sorted in the order of their keys, by code unit
 * @see OCI distribution specification 1.1, "Listing Tags"
 */
export function page<T>(sorted: readonly T[], keyOf: (item: T) => string, query: URLSearchParams): Page<T> {
  const size = pageSize(query.get('n'));
  const last = query.get('last');
  const rest = last === null ? sorted : sorted.filter((item) => keyOf(item) > last);
  const items = rest.slice(0, size);
  const end = items.at(-1);
  const more = end !== undefined && rest.length > items.length;
  return { items, next: more ? new URLSearchParams({ n: String(size), last: keyOf(end) }) : undefined };
}

function pageSize(text: string | null): number {
  return text !== null && /^\d{1,9}$/.test(text) ? Math.min(Number(text), LARGEST_PAGE) : LARGEST_PAGE;
}
