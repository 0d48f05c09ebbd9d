import { page } from '../../paging.ts';
import type { TagPage } from '../../upstream.ts';

const PROTOCOL_PARAMETERS: ReadonlySet<string> = new Set(['n', 'last']);

/**
 * Does in a registry's place what some leave out: some answer every question with all tags, in no order, whatever `n` and
 * `last` say. One that pages by itself knows its own order, so what can be a page of it stays as it is.
 * @param tags all that came, without a link to more
 * @see OCI distribution specification 1.1, "Listing tags"
 */
export function orderedTags(tags: readonly string[], query: URLSearchParams): TagPage {
  const asIs = { tags, next: undefined };
  if ([...query.keys()].some((name) => !PROTOCOL_PARAMETERS.has(name))) return asIs;
  const last = query.get('last');
  const wanted = Number(query.get('n') ?? Number.POSITIVE_INFINITY);
  if (tags.length > wanted || (last !== null && tags.includes(last))) {
    const { items, next } = page(tags.toSorted(), String, query);
    return { tags: items, next };
  }
  return last === null ? { tags: tags.toSorted(), next: undefined } : asIs;
}
