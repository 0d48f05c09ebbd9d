import { parseUrl } from '../../../../core/index.ts';
import { parseNextLink } from '../../../../oci/index.ts';
import type { AnswerHeaders } from '../transport/index.ts';

/**
 * The query that asks for the next page. Of the link's target only this is used: which host and path a registry
 * names there is of no interest, and is not followed.
 */
export function nextQuery(headers: AnswerHeaders, asked: URL): URLSearchParams | undefined {
  const target = headers
    .all('link')
    .map((value) => parseNextLink(value))
    .find((link) => link !== undefined);
  return target === undefined ? undefined : parseUrl(target, asked)?.searchParams;
}
