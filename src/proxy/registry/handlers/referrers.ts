import { type Digest, mediaTypes } from '../../../oci/index.ts';
import type { ReferrersPage } from '../../upstream/index.ts';
import { UpstreamError } from '../../upstream/index.ts';
import { type Answer, jsonAnswer } from '../answer.ts';
import { nextPageHeader, upstreamPage } from '../paging.ts';
import type { Pull } from './pull.ts';

const NOBODY: ReferrersPage = { manifests: [], filtered: false, next: undefined };

/**
 * What refers to a manifest. A subject that is not there has no referrers: that is an empty list, never 404.
 * @see OCI distribution specification 1.1, "Listing Referrers"
 */
export async function answerReferrers(pull: Pull, subject: Digest): Promise<Answer> {
  const { request, upstream, repository } = pull;
  const { query, signal } = request;
  const artifactType = query.get('artifactType') ?? undefined;
  const page = await upstream
    .referrers(repository, subject, { artifactType, query: upstreamPage(query), signal })
    .catch((error: unknown) => {
      if (error instanceof UpstreamError && error.kind === 'not-found') return NOBODY;
      throw error;
    });
  const manifests =
    artifactType === undefined || page.filtered
      ? page.manifests
      : page.manifests.filter((manifest) => manifest.artifactType === artifactType);
  return jsonAnswer(
    200,
    { schemaVersion: 2, mediaType: mediaTypes.OCI_INDEX, manifests },
    {
      'Content-Type': mediaTypes.OCI_INDEX,
      ...(artifactType !== undefined && { 'OCI-Filters-Applied': 'artifactType' }),
      ...nextPageHeader(request.path, page.next, query),
    },
  );
}
