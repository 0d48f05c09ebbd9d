import { type Answer, jsonAnswer } from '../answer.ts';
import { nextPageHeader, pageSize, upstreamPage } from '../paging.ts';
import type { Pull } from './pull.ts';

/** The tags of a repository. @see OCI distribution specification 1.1, "Listing tags" */
export async function answerTags(pull: Pull): Promise<Answer> {
  const { request, upstream, repository, name } = pull;
  const { query, signal } = request;
  if (pageSize(query) === 0) return jsonAnswer(200, { name, tags: [] });
  const page = await upstream.tags(repository, { query: upstreamPage(query), signal });
  return jsonAnswer(200, { name, tags: page.tags }, { ...nextPageHeader(request.path, page.next, query) });
}
